import pandas as pd

if 'transformer' not in globals():
    from mage_ai.data_preparation.decorators import transformer


@transformer
def revenue_by_day(orders: pd.DataFrame, *args, **kwargs) -> pd.DataFrame:
    days = orders.groupby('day', as_index=False).agg(
        orders=('order_id', 'count'),
        revenue=('amount', 'sum'),
    )
    days['revenue'] = days['revenue'].round(2)
    best = days.loc[days['revenue'].idxmax()]
    print(f'{len(days)} days, the best was {best.day} with {best.revenue:.2f}')
    return days
