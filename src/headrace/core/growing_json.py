"""JSON text that is still arriving -> the value as far as it has come. Sans-io, any split, linear.

What is closed is never touched again: a snapshot copies only the containers that are still open, from the
root to the end of the text, and shares everything inside them.
"""

from __future__ import annotations

import re

import msgspec

from headrace.core.growing_node import CHARS_A_SLOT, OpenNode, Value
from headrace.core.growing_string import GrowingString
from headrace.core.shape import HIDDEN, PLAIN, Invalid, Shape

_SPACES = re.compile(r"[ \t\n\r]*")
_BARE = re.compile(r"[-+.0-9A-Za-z]*")  # of a number or a literal
_LONGEST_BARE = 4096
_read_bare = msgspec.json.Decoder().decode
# What may come next.
_VALUE, _FIRST_VALUE, _FIRST_KEY, _KEY, _COLON, _AFTER, _END = range(7)


class GrowingJson:
    """Feed it text as it comes; `value()` is a snapshot, `complete` says whether the root is closed.

    wrong: why the text is no JSON (`cut`: it is the beginning of some), or no value of `shape`
    (`invalid`), and where: the path of that; empty while it may be one. From then on nothing is read. An open
    string is in the snapshot as far as it has come, unless not `open_strings`; an open number, literal or key
    is not. max_depth: of containers.
    grew: whether something that `value()` shows has come since it was last called. one: read one value and
    pass over whatever follows it, which else is wrong.
    """

    def __init__(
        self, shape: Shape = PLAIN, *, max_depth: int = 200, open_strings: bool = True, one: bool = False
    ) -> None:
        self.wrong = ""
        self.where = ""
        self.invalid = False
        self.cut = False
        self.complete = False
        self.grew = False
        self._shape = shape  # of the root
        self._max_depth = max_depth
        self._open_strings = open_strings
        self._one = one
        self._deaf = False
        self._pieces: list[str] = []  # all that was fed
        self._read = 0  # characters before the last of them
        self._next = _VALUE
        self._open: list[OpenNode] = []
        self._raw: Value = HIDDEN  # the root, once it is whole
        self._seen: Value = HIDDEN
        self._inner = shape  # of the string or the bare word that is open
        self._string: GrowingString | None = None
        self._is_key = False
        self._shows_string = False
        self._bare = ""

    def feed(self, text: str) -> None:
        """Read on. What is wrong stands in `wrong`; nothing is raised."""
        self._pieces.append(text)
        at, size = 0, len(text)
        while at < size and not self._deaf:
            if self._string is not None:
                at = self._in_string(self._string, text, at)
            elif self._bare:
                at = self._in_bare(text, at)
            else:
                at = self._between(text, at)
        self._read += size

    def close(self) -> None:
        """The end of the text: a number at the root ends here; what is still open is wrong."""
        if self._bare and not self.wrong:
            self._end_bare(0)
        if not self.complete and not self.wrong:
            self.cut = True
            self.wrong = f"the text ends after {self._read} characters in the middle of the value"
            self.where = self._where()

    def value(self) -> Value:
        """A snapshot: None where nothing has begun. Later feeds do not change it."""
        shown, _ = self.snapshot()
        return None if shown is HIDDEN else shown

    def snapshot(self) -> tuple[Value, int]:
        """A snapshot, HIDDEN where there is nothing to show; and its price in slots of a list copied."""
        self.grew = False
        inner: Value = self._seen
        cost = 0
        if self._shows_string and self._string is not None:
            inner = self._string.value()
            cost = len(inner) // CHARS_A_SLOT
        for node in reversed(self._open):
            inner, price = node.shown(inner)
            cost += price
        return inner, cost

    @property
    def raw(self) -> Value:
        """The whole root as it is to be checked: JSON's data, and in it what `joins`."""
        return self._raw

    @property
    def text(self) -> str:
        """What was fed; of a root in brackets no more than it. It costs a copy of that."""
        return "".join(self._pieces)

    @property
    def path(self) -> tuple[str | int, ...]:
        """The keys and indices that lead from the root to the value that is open."""
        steps = self._steps()
        in_value = self._bare or (self._string is not None and not self._is_key)
        return steps if in_value or not steps else steps[:-1]

    # Between values.

    def _between(self, text: str, at: int) -> int:
        mark = text[at]
        expected = self._next
        if mark == " ":  # one, as most writers put it
            return at + 1
        if mark in "\t\n\r":
            spaces = _SPACES.match(text, at)
            return spaces.end() if spaces else at + 1
        if expected <= _FIRST_VALUE and mark != "]":
            return self._begin(mark, text, at)
        if mark == '"' and expected in (_KEY, _FIRST_KEY):
            self._string, self._is_key, self._shows_string = GrowingString(), True, False
        elif mark == ":" and expected == _COLON:
            self._next = _VALUE
        elif mark == "," and expected == _AFTER:
            self._next = _KEY if type(self._open[-1].raw) is dict else _VALUE
        elif mark in "]}" and self._may_close(mark):
            self._close(at)
        else:
            self._fail(at, f"{mark!r} is not expected here")
        return at + 1

    def _begin(self, mark: str, text: str, at: int) -> int:
        shape = self._open[-1].child() if self._open else self._shape
        if shape.choose is not None:
            shape = shape.choose(mark)
        if mark == '"':
            visible = self._open[-1].visible if self._open else True
            self._shows_string = visible and self._open_strings and mark in shape.opens
            self._string, self._is_key, self._inner = GrowingString(), False, shape
            self.grew = self.grew or self._shows_string
        elif mark in "{[":
            return self._begin_container(mark, shape, at)
        elif _BARE.fullmatch(mark):
            self._inner = shape
            return self._in_bare(text, at)
        else:
            self._fail(at, f"{mark!r} begins no value")
        return at + 1

    def _begin_container(self, mark: str, shape: Shape, at: int) -> int:
        if len(self._open) >= self._max_depth:
            self._fail(at, f"it is nested more than {self._max_depth} deep")
            return at
        may_show = not self._open or self._open[-1].visible
        node = OpenNode(mark, shape, may_show, (len(self._pieces) - 1, at))
        self._open.append(node)
        self._next = _FIRST_KEY if mark == "{" else _FIRST_VALUE
        self.grew = self.grew or node.visible
        return at + 1

    def _may_close(self, mark: str) -> bool:
        if not self._open:
            return False
        if type(self._open[-1].raw) is dict:
            return mark == "}" and self._next in (_FIRST_KEY, _AFTER)
        return mark == "]" and self._next in (_FIRST_VALUE, _AFTER)

    def _close(self, at: int) -> None:
        node = self._open.pop()
        seen = node.seen if node.shape.show is None or not node.visible else node.shape.show(node.seen)
        self._put(node.raw, seen, node.shape, at, node.begins, shown=node.visible)

    def _put(
        self,
        value: Value,
        seen: Value,
        shape: Shape,
        at: int,
        begins: tuple[int, int] | None = None,
        shown: bool = False,
    ) -> None:
        """A value is complete: checked, once, and given to what is around it.

        begins: of a container, whose text may be asked for. shown: it was seen while it was open.
        """
        news = not shown or shape.check is not None
        if shape.check is not None:
            try:
                seen = self._checked(value, shape, begins, at)
            except Invalid as error:
                self._fail(at, error.why, self._where() + error.path)
                return
            value = seen if shape.joins else value
        if not self._open:
            self._raw, self._seen, self.complete, self._next = value, seen, True, _END
            self.grew, self._deaf = True, self._one
            if begins is not None:
                self._pieces[-1] = self._pieces[-1][: at + 1]
            return
        node = self._open[-1]
        node.put(value, seen)
        self.grew = self.grew or (news and node.visible and seen is not HIDDEN)
        self._next = _AFTER

    def _checked(self, value: Value, shape: Shape, begins: tuple[int, int] | None, at: int) -> Value:
        assert shape.check is not None
        try:
            return shape.check(value)
        except Invalid:
            if shape.recheck is None:
                raise
        if begins is None:
            return shape.recheck(msgspec.json.encode(value).decode())
        piece, first = begins
        return shape.recheck("".join([*self._pieces[piece:-1], self._pieces[-1][: at + 1]])[first:])

    # Inside a string.

    def _in_string(self, string: GrowingString, text: str, at: int) -> int:
        end = string.feed(text, at)
        if string.closed:
            self._end_string(string, end - 1)
        elif string.wrong:
            self._fail(end, string.wrong)
        elif self._shows_string:
            self.grew = True
        return end

    def _end_string(self, string: GrowingString, at: int) -> None:
        self._string = None
        if self._is_key:
            self._open[-1].key = string.value()
            self._next = _COLON
        else:
            whole = string.value()
            self._put(whole, whole, self._inner, at, shown=self._shows_string)

    # Inside a number, true, false or null.

    def _in_bare(self, text: str, at: int) -> int:
        found = _BARE.match(text, at)
        end = found.end() if found else at
        self._bare += text[at:end]
        if len(self._bare) > _LONGEST_BARE:
            self._fail(end, f"a number is longer than {_LONGEST_BARE} characters")
        elif end < len(text):
            self._end_bare(end)
        return end

    def _end_bare(self, at: int) -> None:
        bare, self._bare = self._bare, ""
        exact = self._inner.number if bare[0] in "-0123456789" else None
        try:
            value = _read_bare(bare) if exact is None else exact(bare)
        except msgspec.DecodeError:
            self._fail(at, f"{bare[:40]!r} is no value")
            return
        self._put(value, value, self._inner, at)

    def _steps(self) -> tuple[str | int, ...]:
        """The same, and the place inside the innermost container that the text has come to."""
        return tuple(len(node.raw) if type(node.raw) is list else node.key for node in self._open)

    def _where(self) -> str:
        named = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in self._steps() if key != "")
        return "".join(named)

    def _fail(self, at: int, why: str, where: str | None = None) -> None:
        self.complete, self._deaf = False, True
        self.invalid = where is not None
        self.where = self._where() if where is None else where
        self.wrong = why if self.invalid else f"character {self._read + at + 1}: {why}"
