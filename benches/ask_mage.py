"""Imports genuine Mage and asks it for the configuration of a block's Job."""

import sys

project, pipeline, block = sys.argv[1:4]

from mage_ai.settings.repo import set_repo_path  # noqa: E402

set_repo_path(project)

from mage_ai.data_preparation.executors.k8s_block_executor import K8sBlockExecutor  # noqa: E402
from mage_ai.data_preparation.models.pipeline import Pipeline  # noqa: E402

print(K8sBlockExecutor(Pipeline.get(pipeline, repo_path=project), block).executor_config)
