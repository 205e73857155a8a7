"""A model behind an OpenAI-compatible server that the user names: llama-server, vLLM, and what speaks like them.

Only what such servers have in common is used: `/completions` with `n`, `logprobs` and `stream`, `/chat/completions`,
and for filling in llama-server's `/infill`. What a server lacks is an error that says so, never a guess.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from veriloop.models.errors import ModelFailed, NoAnswer, NoModel, Stopped
from veriloop.models.model import Completion, Message, ModelInfo, OnText, Sampling, Score, Stop, never

_CONNECT_S = 5.0
_POLL_S = 0.05
"""How often a call that waits for the server looks whether it is to be stopped."""
_SILENCE_S = 600.0
"""How long a server may say nothing."""
_UNKNOWN_CONTEXT = 8192
_BUSY = frozenset({408, 429})
"""Answers that mean: not now."""


class ServerModel:
    """A `Model` at an address such as `http://localhost:8080/v1`."""

    def __init__(self, address: str, *, name: str = "", key: str = "") -> None:
        """Names the server; nothing is sent before the first call.

        Args:
            address: the API's base.
            name: which of the server's models; empty: the first.
            key: sent as a bearer token, where the server wants one.

        Raises:
            NoModel: it is no address of http or https.
        """
        if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).netloc:
            raise NoModel(f"{address} is no address of a server", hint="--model http://localhost:8080/v1")
        self.address = address.rstrip("/")
        self._host = urlsplit(address).netloc
        self._name = name
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._info: ModelInfo | None = None

    @property
    def info(self) -> ModelInfo:
        """What the server says of the model.

        Raises:
            ModelFailed: the server does not answer.
            NoModel: it does not have the model.
        """
        if self._info is None:
            models = self._ask("GET", "/models", None, never).get("data") or []
            names = [str(model.get("id", "")) for model in models]
            if self._name and self._name not in names:
                raise NoModel(f"{self._host} has no model {self._name!r}; it has {', '.join(names) or 'none'}")
            if not names:
                raise NoModel(f"{self._host} has no model")
            chosen = models[names.index(self._name) if self._name else 0]
            meta = chosen.get("meta") or {}
            context = chosen.get("max_model_len") or meta.get("n_ctx_train") or _UNKNOWN_CONTEXT
            self._info = ModelInfo(
                name=str(chosen["id"]),
                context_tokens=int(context),
                parameters=int(meta.get("n_params") or 0),
                has_fim=True,
                has_chat=True,
            )
        return self._info

    def count(self, text: str) -> int:
        """How many tokens a text has, from the usage that the server states."""
        body = self._completion(text, Sampling(max_tokens=1), 1)
        usage = self._ask("POST", "/completions", body, never).get("usage") or {}
        if "prompt_tokens" not in usage:
            raise ModelFailed(f"{self._host} does not count tokens")
        return int(usage["prompt_tokens"])

    def complete(
        self, prompt: str, sampling: Sampling, *, n: int = 1, on_text: OnText | None = None, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """Goes on where the prompt ends."""
        return self._generate("/completions", self._completion(prompt, sampling, n), n, on_text, stop)

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        n: int = 1,
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> tuple[Completion, ...]:
        """The next turn of a conversation."""
        body = self._completion("", sampling, n)
        del body["prompt"]
        body["messages"] = [{"role": message.role, "content": message.content} for message in messages]
        return self._generate("/chat/completions", body, n, on_text, stop)

    def infill(
        self, prefix: str, suffix: str, sampling: Sampling, *, n: int = 1, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """What stands between; by llama-server's `/infill`, which builds the prompt from the model's own tokens."""
        body = {
            "input_prefix": prefix,
            "input_suffix": suffix,
            "n_predict": sampling.max_tokens,
            "temperature": sampling.temperature,
            "stop": list(sampling.stop),
            "cache_prompt": True,
        }
        found = []
        for number in range(n):
            answer = self._ask("POST", "/infill", {**body, "seed": sampling.seed + number}, stop, base=self._root)
            if "content" not in answer:
                raise ModelFailed(f"{self._host} cannot fill in", hint="veriloop models use NAME --for complete")
            cut = bool(answer.get("truncated")) or answer.get("stop_type") == "limit"
            found.append(
                Completion(
                    text=str(answer["content"]),
                    tokens=int(answer.get("tokens_predicted") or 0),
                    finish="length" if cut else "stop",
                )
            )
        return tuple(found)

    def score(self, prompt: str, continuations: Sequence[str], *, stop: Stop = never) -> tuple[Score, ...]:
        """How likely continuations are, by the log-probabilities that the server echoes.

        Raises:
            ModelFailed: the server does not echo them, as llama-server does not.
        """
        found = []
        for text in continuations:
            body = {**self._completion(prompt + text, Sampling(max_tokens=0), 1), "echo": True, "logprobs": 1}
            choice = _choices(self._ask("POST", "/completions", body, stop), self._host)[0]
            logs = choice.get("logprobs") or {}
            offsets, values = logs.get("text_offset"), logs.get("token_logprobs")
            if not offsets or not values or len(offsets) != len(values):
                raise ModelFailed(
                    f"{self._host} does not tell how likely a given text is", hint="a local model: veriloop models"
                )
            pairs = zip(offsets, values, strict=True)
            found.append(Score(logprobs=tuple(float(value) for at, value in pairs if at >= len(prompt) and value)))
        return tuple(found)

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """Raises:
        ModelFailed: of a gap no server tells it.
        """
        raise ModelFailed(f"{self._host} does not tell how likely a text in a gap is")

    def close(self) -> None:
        """Nothing is held between calls."""

    @property
    def _root(self) -> str:
        return self.address.removesuffix("/v1")

    def _completion(self, prompt: str, sampling: Sampling, n: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "prompt": prompt,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "n": n,
        }
        if self._name:
            body["model"] = self._name
        elif self._info is not None:
            body["model"] = self._info.name
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.grammar:
            body["grammar"] = sampling.grammar
        return body

    def _generate(
        self, path: str, body: dict[str, Any], n: int, on_text: OnText | None, stop: Stop
    ) -> tuple[Completion, ...]:
        body = {"model": self.info.name, **body, "stream": True}
        parts: list[list[str]] = [[] for _ in range(n)]
        ends: list[Literal["stop", "length"]] = ["stop"] * n
        for event in self._events(path, body, stop):
            for choice in event.get("choices") or ():
                number = int(choice.get("index") or 0)
                if number >= n:
                    raise ModelFailed(f"{self._host} sent more answers than were asked for")
                text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
                if text:
                    parts[number].append(text)
                    if on_text is not None:
                        on_text(number, text)
                if choice.get("finish_reason") == "length":
                    ends[number] = "length"
        return tuple(
            Completion(text="".join(texts), tokens=len(texts), finish=end)
            for texts, end in zip(parts, ends, strict=True)
        )

    def _events(self, path: str, body: dict[str, Any], stop: Stop) -> Iterator[dict[str, Any]]:
        for line in self._lines("POST", self.address + path, body, stop):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            if line.startswith("data:"):
                yield _object(data, self._host)
        # Half an answer must not pass for a whole one.
        raise NoAnswer(f"{self._host} broke off in the middle of its answer", hint="is the server running?")

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, stop: Stop, *, base: str = ""
    ) -> dict[str, Any]:
        return _object("\n".join(self._lines(method, (base or self.address) + path, body, stop)), self._host)

    def _lines(self, method: str, url: str, body: dict[str, Any] | None, stop: Stop) -> Iterator[str]:
        """The lines of an answer as they come.

        A server may think for minutes before its first word, so a thread waits for it; a stop closes the connection
        under the thread.

        Raises:
            NoAnswer: there is no server, or it breaks off.
            ModelFailed: it refuses.
            Stopped: `stop` became true.
        """
        waiting: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
        client = httpx.Client(headers=self._headers, timeout=timeout, follow_redirects=False)

        def read() -> None:
            try:
                with client.stream(method, url, json=body) as answer:
                    if answer.is_error:
                        answer.read()
                        kind = NoAnswer if answer.is_server_error or answer.status_code in _BUSY else ModelFailed
                        raise kind(f"{self._host} answers {answer.status_code}: {_said(answer)}")
                    for line in answer.iter_lines():
                        waiting.put(line)
                waiting.put(None)
            except (httpx.HTTPError, ModelFailed, RuntimeError, OSError) as error:
                waiting.put(error)

        threading.Thread(target=read, name="veriloop-server-model", daemon=True).start()
        try:
            while True:
                if stop():
                    raise Stopped
                try:
                    said = waiting.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if said is None:
                    return
                if isinstance(said, ModelFailed):
                    raise said
                if isinstance(said, Exception):
                    fault = str(said) or type(said).__name__
                    raise NoAnswer(f"no answer from {self._host}: {fault}", hint="is the server running?") from said
                yield said
        finally:
            client.close()


def _object(text: str, host: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ModelFailed(f"{host} sends what is no JSON: {text[:60]!r}") from error
    if not isinstance(data, dict):
        raise ModelFailed(f"{host} sends no JSON object: {text[:60]!r}")
    if "error" in data:
        raise ModelFailed(f"{host}: {data['error']}")
    return data


def _choices(data: dict[str, Any], host: str) -> list[dict[str, Any]]:
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ModelFailed(f"{host} sends no answer")
    return choices


def _said(answer: httpx.Response) -> str:
    text = answer.text.strip()
    try:
        error = json.loads(text).get("error")
        text = error.get("message", text) if isinstance(error, dict) else str(error or text)
    except (ValueError, AttributeError):
        pass
    return text.splitlines()[0][:200] if text else answer.reason_phrase
