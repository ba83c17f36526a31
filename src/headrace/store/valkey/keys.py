"""Where everything is kept: the names of the keys, all under one prefix."""

from __future__ import annotations

import hashlib
import time

from headrace.store.log import StreamHead
from headrace.store.valkey.scripts import ALIAS_ENDS, Command


class Keys:
    """The keys of one installation. What is in braces decides a cluster's slot: a stream's keys lie together.

    nodes: who writes, a set. index: streams by when they began. expiry: what they shall forget, by when.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.nodes = f"{prefix}nodes"
        self.index = f"{prefix}index"
        self.expiry = f"{prefix}expiry"

    def meta(self, id: str) -> str:
        return f"{self._prefix}{{{id}}}:meta"

    def log(self, id: str) -> str:
        return f"{self._prefix}{{{id}}}:log"

    def node(self, node: str) -> str:
        """There while the node lives."""
        return f"{self._prefix}{{{node}}}:alive"

    def streams(self, node: str) -> str:
        """What the node is writing, a set."""
        return f"{self._prefix}{{{node}}}:streams"

    def inbox(self, node: str) -> str:
        """What the node is asked, a stream."""
        return f"{self._prefix}{{{node}}}:inbox"

    def owner(self, owner: str) -> str:
        """The owner's streams by when they began."""
        return f"{self._prefix}owner:{owner}"

    def alias(self, owner: str, alias: str) -> str:
        """The id of the owner's latest stream of that alias, which comes from outside and may be long."""
        name = hashlib.sha256(b"\0".join((owner.encode(), alias.encode()))).hexdigest()
        return f"{self._prefix}alias:{name}"

    # What is done to the keys beside a stream's own.

    def answers_for(self, node: str, id: str) -> Command:
        """Before a stream begins, it is among those that end with its node."""
        return ("SADD", self.streams(node), id)

    def listed(self, head: StreamHead) -> list[Command]:
        """A stream has begun. Not before: a name of nothing is taken out by whoever finds it."""
        commands: list[Command] = [("ZADD", self.index, head.began_s, head.id)]
        if head.owner:
            commands.append(("ZADD", self.owner(head.owner), head.began_s, head.id))
        if head.alias:
            commands.append(("SET", self.alias(head.owner, head.alias), head.id))
        return commands

    def ended(self, node: str, head: StreamHead, life_s: float) -> list[Command]:
        """A stream has ended, and stays for so long."""
        commands: list[Command] = [
            ("ZADD", self.expiry, time.time() + life_s, f"{head.id} {head.owner}"),
            ("SREM", self.streams(node), head.id),
        ]
        if head.alias:
            alias = self.alias(head.owner, head.alias)
            commands.append(ALIAS_ENDS(alias, head.id, int(life_s * 1000)))
        return commands

    def unlisted(self, id: str, owner: str) -> list[Command]:
        """A stream is gone."""
        commands: list[Command] = [("ZREM", self.index, id), ("ZREM", self.expiry, f"{id} {owner}")]
        if owner:
            commands.append(("ZREM", self.owner(owner), id))
        return commands
