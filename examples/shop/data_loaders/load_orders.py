import os

import pandas as pd

from mage_ai.settings.repo import get_repo_path

if 'data_loader' not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if 'test' not in globals():
    from mage_ai.data_preparation.decorators import test


@data_loader
def load_orders(*args, **kwargs) -> pd.DataFrame:
    path = os.path.join(get_repo_path(), 'data', 'orders.csv')
    orders = pd.read_csv(path, dtype={'customer': 'string', 'product': 'string'})
    print(f'Read {len(orders)} orders')
    return orders


@test
def has_rows(orders, *args) -> None:
    assert len(orders) > 0, 'There are no orders'
