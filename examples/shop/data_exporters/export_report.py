import os

import pandas as pd

if 'data_exporter' not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def export_report(report: pd.DataFrame, *args, **kwargs) -> None:
    folder = os.path.join(os.getenv('MAGE_DATA_DIR', '/data'), 'reports')
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, 'orders.csv')
    report.to_csv(path, index=False)
    print(f'Wrote {len(report)} rows to {path}')
