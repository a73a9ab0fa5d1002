import pandas as pd

if 'transformer' not in globals():
    from mage_ai.data_preparation.decorators import transformer
if 'test' not in globals():
    from mage_ai.data_preparation.decorators import test


@transformer
def clean_orders(orders: pd.DataFrame, *args, **kwargs) -> pd.DataFrame:
    before = len(orders)
    orders = orders.drop_duplicates(subset='order_id')
    print(f'Dropped {before - len(orders)} duplicates')

    before = len(orders)
    orders = orders.dropna(subset=['customer'])
    orders = orders[orders['quantity'] > 0]
    print(f'Dropped {before - len(orders)} orders without a customer or a quantity')

    orders = orders.assign(amount=(orders['quantity'] * orders['unit_price']).round(2))
    print(f'Kept {len(orders)} orders')
    return orders


@test
def has_no_duplicates(orders, *args) -> None:
    assert orders['order_id'].is_unique, 'An order is there twice'
