#!/usr/bin/env bash
# Evaluate under Slurm, one process a GPU:
#   [GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS='--time=1:00:00'] \
#       tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [test.py options]
set -euo pipefail
partition=$1
job_name=$2
config=$3
checkpoint=$4
exec "$(dirname "$0")/slurm_run.sh" "$partition" "$job_name" \
    test.py "$config" "$checkpoint" "${@:5}"
