#!/usr/bin/env bash
# Evaluate on several processes of one or more nodes:
#   [NNODES=2 NODE_RANK=0 MASTER_ADDR=host PORT=29500] tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [test.py options]
set -euo pipefail
config=$1
checkpoint=$2
processes=$3
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" \
    "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher pytorch "${@:4}"
