#!/usr/bin/env bash
# Train under Slurm, one process a GPU:
#   [GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS='--time=1-0'] \
#       tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [train.py options]
set -euo pipefail
partition=$1
job_name=$2
config=$3
work_dir=$4
exec "$(dirname "$0")/slurm_run.sh" "$partition" "$job_name" \
    train.py "$config" --work-dir="$work_dir" "${@:5}"
