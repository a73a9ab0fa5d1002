import pandas as pd

if 'transformer' not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def build_report(days: pd.DataFrame, customers: pd.DataFrame, *args, **kwargs) -> pd.DataFrame:
    total = round(float(days['revenue'].sum()), 2)
    share = float(customers['revenue'].sum()) / total
    print(f'{len(customers)} customers made {share:.0%} of {total:.2f}')
    rows = [dict(section='total', name='revenue', value=total)]
    rows += [dict(section='day', name=row.day, value=row.revenue) for row in days.itertuples()]
    rows += [dict(section='customer', name=row.customer, value=row.revenue) for row in customers.itertuples()]
    return pd.DataFrame(rows)
