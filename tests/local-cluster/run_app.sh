#!/bin/sh
# /app/run_app.sh of the image localhost/mage-stand-in:1.
#
# `run_app.sh mage …` runs the genuine Mage when $MAGE_VENV names a folder, and
# otherwise acts as if it were Mage, as STANDIN_* variables tell it. Everything
# else is just run. Each variable may be given for one block only, as in
# STANDIN_SLEEP_load=3 (characters other than letters and digits become _).
#
#   STANDIN_SLEEP=SECONDS     how long the block works
#   STANDIN_LINES=N           prints N more lines, evenly spread over that time
#   STANDIN_FAIL=1            ends with a traceback and exit code 1
#   STANDIN_FAIL_BLOCKS="a b" the same for the blocks named
#   STANDIN_FAIL_TIMES=N      fails the first N times (counted below STANDIN_STATE)
#   STANDIN_STATE=DIR         default $MAGE_DATA_DIR/.stand-in, else /data/.stand-in
#   STANDIN_EXIT=CODE         ends with CODE
#   STANDIN_TRACEBACK=1       prints a traceback; alone, it changes nothing else
#   STANDIN_EAT_MEMORY=MIB    takes that much memory in the main process; `all`: until killed
#   STANDIN_FORK=N            N children that sleep as long; with STANDIN_EAT_MEMORY
#                             the memory is taken in a child and the block goes on
#   STANDIN_CONDITION=false   the line of a conditional block that says no, and exit 0
#   STANDIN_TEXT=TEXT         the message of a plain line on stdout
#   STANDIN_SCRIPT=TEXT       runs that with sh, and nothing else
#   STANDIN_SERVER=1          `mage start` only sleeps, with a $MAGE_VENV too
#   STANDIN_SIGTERM=ignore    goes on when asked to stop; a number: ends with that code
[ "$#" -gt 0 ] || exit 0
if [ "$1" != mage ]; then
  exec "$@"
fi
if [ -n "$MAGE_VENV" ] && [ -d "$MAGE_VENV" ] && ! { [ "$2" = start ] && [ -n "$STANDIN_SERVER" ]; }; then
  PATH=$MAGE_VENV/bin:$PATH
  export PATH
  exec "$@"
fi

if [ "$2" != run ]; then
  # A server only has to be there.
  trap 'exit 0' TERM INT
  echo "stand-in for: $*"
  while :; do sleep 3600 & wait $!; done
fi

shift 2
pipeline='' block='' partition='' positional=0
while [ "$#" -gt 0 ]; do
  case $1 in
    --block-uuid) block=$2; shift ;;
    --execution-partition) partition=$2; shift ;;
    --test | --skip-sensors) ;;
    --*=*)
      case $1 in
        --block-uuid=*) block=${1#*=} ;;
        --execution-partition=*) partition=${1#*=} ;;
      esac ;;
    --*) shift ;;
    *)
      positional=$((positional + 1))
      [ "$positional" = 2 ] && pipeline=$1 ;;
  esac
  [ "$#" -gt 0 ] && shift
done
block_key=$(printf '%s' "$block" | tr -c 'A-Za-z0-9' _)

# setting NAME: STANDIN_NAME_<block>, else STANDIN_NAME.
setting() { eval "printf '%s' \"\${STANDIN_${1}_${block_key}-\$STANDIN_$1}\""; }

# The shell has no clock finer than a second, so it is put together.
read -r up _ </proc/uptime
epoch=$(($(date +%s) * 100 - ${up%.*} * 100))
now() {
  read -r up _ </proc/uptime
  centi=${up#*.}
  t=$((epoch + ${up%.*} * 100 + ${centi#0}))
  rest=$((t % 100))
  [ "$rest" -lt 10 ] && rest=0$rest
  echo "$((t / 100)).$rest"
}
escape() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }

case $block in
  *load*) type=data_loader ;;
  *export* | *write*) type=data_exporter ;;
  *) type=transformer ;;
esac
prefix=$pipeline${partition:+/$partition}${block:+/$block}

# log LEVEL MESSAGE: a line as Mage's logger writes it.
log() {
  printf '%s:%s:{"block_type": "%s", "block_uuid": "%s", "pipeline_uuid": "%s", "level": "%s", "message": "%s", "timestamp": %s, "uuid": "%s"}\n' \
    "$1" "$prefix" "$type" "$(escape "$block")" "$pipeline" "$1" "$(escape "$2")" "$(now)" \
    "$(tr -d - </proc/sys/kernel/random/uuid)" >&2
}
traceback() {
  cat >&2 <<END
Traceback (most recent call last):
  File "/usr/local/lib/python3.10/site-packages/mage_ai/data_preparation/models/block/__init__.py", line 1687, in execute_block_function
    output = block_function_updated(*input_vars, **global_vars)
  File "<string>", line 12, in $block_key
ValueError: stand-in was told to fail in $block
END
}
finish() {
  # shellcheck disable=SC2086 # a list of pids
  kill $children 2>/dev/null
  exit "$1"
}

children=''
case $(setting SIGTERM) in
  '') trap 'log WARNING "stopped by a signal"; finish 143' TERM INT ;;
  ignore) trap '' TERM INT ;;
  *) trap 'finish "$(setting SIGTERM)"' TERM INT ;;
esac

script=$(setting SCRIPT)
[ -z "$script" ] || exec sh -c "$script"

log INFO "Start executing block with BlockExecutor."
text=$(setting TEXT)
[ -n "$text" ] && printf '%s\n' "$text"

seconds=$(setting SLEEP)
seconds=${seconds:-0}
lines=$(setting LINES)
lines=${lines:-0}
forks=$(setting FORK)
memory=$(setting EAT_MEMORY)

eat() {
  # Each takes the memory in the very process that it becomes.
  if [ "$memory" = all ]; then exec tail -n 1 /dev/zero; fi
  exec dd if=/dev/zero of=/dev/null bs="${memory}M" count=1
}
if [ -n "$memory" ]; then
  if [ -n "$forks" ]; then
    (eat) 2>/dev/null &
    wait $! || log WARNING "a child process ended with exit code $?"
  else
    log INFO "taking memory: $memory"
    [ "$seconds" = 0 ] || sleep "$seconds"
    eat 2>/dev/null
  fi
elif [ -n "$forks" ]; then
  i=0
  while [ "$i" -lt "$forks" ]; do
    i=$((i + 1))
    (trap - TERM INT; log INFO "child $i of $forks"; exec sleep "$seconds") &
    children="$children $!"
  done
fi

# Sleeps that a signal may end at once.
nap() {
  case $1 in 0 | 0.0* | '') return ;; esac
  sleep "$1" &
  wait $!
}
if [ "$lines" -gt 0 ] && [ "$seconds" = 0 ]; then
  # In one process: many lines are quickly there.
  awk -v n="$lines" -v p="$prefix" -v t="$type" -v b="$(escape "$block")" -v l="$pipeline" -v now="$(now)" 'BEGIN {
    srand()
    for (i = 1; i <= n; i++)
      printf "INFO:%s:{\"block_type\": \"%s\", \"block_uuid\": \"%s\", \"pipeline_uuid\": \"%s\", \"level\": \"INFO\", \"message\": \"line %d of %d\", \"timestamp\": %s, \"uuid\": \"%08x%08x%08x%08x\"}\n", p, t, b, l, i, n, now, rand() * 2147483647, rand() * 2147483647, rand() * 2147483647, rand() * 2147483647
  }' >&2
elif [ "$lines" -gt 0 ]; then
  pause=$(echo "$seconds $lines" | awk '{ printf "%.3f", $1 / $2 }')
  i=0
  while [ "$i" -lt "$lines" ]; do
    i=$((i + 1))
    log INFO "line $i of $lines"
    [ "$pause" = 0 ] || nap "$pause"
  done
else
  nap "$seconds"
fi

code=$(setting EXIT)
fail=$(setting FAIL)
case " $STANDIN_FAIL_BLOCKS " in *" $block "*) fail=1 ;; esac
times=$(setting FAIL_TIMES)
if [ -n "$times" ]; then
  dir=${STANDIN_STATE:-${MAGE_DATA_DIR:-/data}/.stand-in}/$pipeline/$partition
  mkdir -p "$dir"
  done_so_far=$(cat "$dir/$block_key" 2>/dev/null || echo 0)
  if [ "$done_so_far" -lt "$times" ]; then
    echo $((done_so_far + 1)) >"$dir/$block_key"
    fail=1
  fi
fi
case $fail in 0 | false) fail='' ;; esac

if [ -n "$fail$(setting TRACEBACK)" ]; then traceback; fi
if [ -n "$fail" ]; then
  log ERROR "Failed to execute block $block: stand-in was told to fail in $block"
  finish "${code:-1}"
fi
if [ "$(setting CONDITION)" = false ]; then
  log INFO "Conditional block(s) returned false for $block. This block run and downstream blocks will be set as CONDITION_FAILED."
  finish 0
fi
if [ -n "$code" ] && [ "$code" != 0 ]; then
  log ERROR "exit code $code"
  finish "$code"
fi
log INFO "Finish executing block with BlockExecutor."
wait
exit 0
