import pandas as pd

if 'transformer' not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def top_customers(orders: pd.DataFrame, *args, **kwargs) -> pd.DataFrame:
    count = int(kwargs.get('top', 3))
    customers = orders.groupby('customer', as_index=False).agg(revenue=('amount', 'sum'))
    customers['revenue'] = customers['revenue'].round(2)
    customers = customers.sort_values(['revenue', 'customer'], ascending=[False, True]).head(count)
    for place, row in enumerate(customers.itertuples(), start=1):
        print(f'{place}. {row.customer}: {row.revenue:.2f}')
    return customers.reset_index(drop=True)
