"""What must happen at once, as scripts that the server runs; each touches the keys of one stream only.

A stream is two keys. `meta`, a hash: node (who writes it), head, first, last, end, and stop where somebody
asked for it. `log`, a stream of the server's own kind: record n is the entry `n-0`, and the end, which wakes
whoever is blocked on it, is the entry `LAST-1`. Numbers are told, never counted, so that each script may be
run again after an answer that was lost.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple, TypeAlias

Command: TypeAlias = tuple["str | bytes | int | float", ...]


class Script(NamedTuple):
    """text: as the server is given it. keys: how many it takes."""

    text: str
    sha: str
    keys: int

    def __call__(self, *keys_and_values: str | bytes | int) -> Command:
        """The command that runs it."""
        return ("EVALSHA", self.sha, self.keys, *keys_and_values)


def _script(keys: int, text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), keys)


# meta; node, head
BEGIN = _script(
    1,
    """
local node = redis.call('HGET', KEYS[1], 'node')
if node then return node == ARGV[1] and 'ok' or 'taken' end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'head', ARGV[2], 'first', 1, 'last', 0)
return 'ok'
""",
)

# meta, log; node, number of the first record, oldest to keep (0: all), end ('': none), life in ms, records
APPEND = _script(
    2,
    """
local meta = redis.call('HMGET', KEYS[1], 'node', 'last', 'end', 'stop')
if meta[1] ~= ARGV[1] then return 'gone' end
if meta[3] then return meta[3] == ARGV[4] and 'ok' or 'ended' end
local last, number = tonumber(meta[2]), tonumber(ARGV[2])
if number > last + 1 then return 'lost' end
for at = 6, #ARGV do
  if number > last then
    redis.call('XADD', KEYS[2], number .. '-0', 'd', ARGV[at])
    last = number
  end
  number = number + 1
end
if ARGV[3] ~= '0' then
  redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3] .. '-0')
  redis.call('HSET', KEYS[1], 'last', last, 'first', ARGV[3])
else
  redis.call('HSET', KEYS[1], 'last', last)
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'end', ARGV[4])
  redis.call('XADD', KEYS[2], last .. '-1', 'e', '')
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
return meta[4] and 'stop' or 'ok'
""",
)

# meta, log; node, end, its life in ms. The stream's head where this call has ended it
INTERRUPT = _script(
    2,
    """
local meta = redis.call('HMGET', KEYS[1], 'node', 'end', 'last', 'head')
if meta[1] ~= ARGV[1] or meta[2] then return false end
redis.call('HSET', KEYS[1], 'end', ARGV[2])
redis.call('XADD', KEYS[2], meta[3] .. '-1', 'e', '')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return meta[4]
""",
)

# meta, log. The head of what was there
FORGET = _script(
    2,
    """
local head = redis.call('HGET', KEYS[1], 'head')
redis.call('DEL', KEYS[1], KEYS[2])
return head
""",
)

# log; first number, last entry ('+': all), bytes. The first one's entry and the records
READ = _script(
    1,
    """
local out, size, at = {''}, 0, ARGV[1] .. '-0'
while true do
  local found = redis.call('XRANGE', KEYS[1], at, ARGV[2], 'COUNT', 16)
  if #found == 0 then return out end
  for _, entry in ipairs(found) do
    if entry[2][1] == 'd' then
      size = size + #entry[2][2]
      if #out == 1 then
        out[1] = entry[1]
      elseif size > tonumber(ARGV[3]) then
        return out
      end
      out[#out + 1] = entry[2][2]
    end
    at = '(' .. entry[1]
  end
end
""",
)

# meta. The node to tell, where the stream has not ended
STOP = _script(
    1,
    """
local meta = redis.call('HMGET', KEYS[1], 'node', 'end')
if not meta[1] or meta[2] then return false end
redis.call('HSET', KEYS[1], 'stop', 1)
return meta[1]
""",
)

# alias; stream, life in ms (0: forget it). Where the alias is still that stream's
ALIAS_ENDS = _script(
    1,
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""",
)

SCRIPTS = (BEGIN, APPEND, INTERRUPT, FORGET, READ, STOP, ALIAS_ENDS)
