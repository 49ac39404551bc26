#!/usr/bin/env bash
# What slurm_train.sh and slurm_test.sh have in common: a tool under Slurm, one process a GPU.
#   tools/slurm_run.sh PARTITION JOB_NAME TOOL.py [its arguments]
set -euo pipefail
partition=$1
job_name=$2
tool=$(dirname "$0")/$3
gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-8}
gpus_here=$((gpus < gpus_per_node ? gpus : gpus_per_node))
# shellcheck disable=SC2086  # SRUN_ARGS holds several options
exec srun --partition="$partition" --job-name="$job_name" \
    --ntasks="$gpus" --ntasks-per-node="$gpus_here" --gres="gpu:$gpus_here" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "$tool" --launcher=slurm "${@:4}"
