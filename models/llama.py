"""llama.cpp: one model in this process. The only file that imports llama_cpp.

It is meant to run in a process of its own (`models/local.py`): llama.cpp ends the process on much that is merely wrong.
Known traps that are taken care of here: extra buffer types crash quantised models on AMX processors where g++ 12 built
them (ggml-org/llama.cpp, pull request 26954); the log callback must be kept alive; logits of all tokens of a context
take context times vocabulary of memory.
"""

from __future__ import annotations

import codecs
import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import llama_cpp
import numpy as np

from veriloop.models.errors import BadGrammar, BadModel, DoesNotFit, ModelFailed, Stopped
from veriloop.models.gbnf import check_grammar
from veriloop.models.lookup import draft
from veriloop.models.model import Completion, Loading, Message, ModelInfo, Sampling, Score

_BATCH = 512
_SEQUENCES = 32
"""Candidates or continuations that are decoded at once."""
_LOGITS_BYTES = 64 << 20
"""What the logits of one batch may take."""
_SMALLEST_CELLS = 2048
_PIECE_BYTES = 256
_LOG_LINES = 20
_FULL_FLOAT = 0
_SUFFIX_FIRST = "suffix, middle, prefix"
"""How models of our own training want a gap to be asked for."""

OnPiece = Callable[[int, str], None]


class _Log:
    """llama.cpp's last words, which say why something failed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._callback = llama_cpp.llama_log_callback(self._said)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _said(self, level: int, text: bytes, _: Any) -> None:
        if level >= 3 and text.strip():
            self.lines = [*self.lines[1 - _LOG_LINES :], text.decode("utf-8", errors="replace").strip()]

    @property
    def last(self) -> str:
        return self.lines[-1] if self.lines else "llama.cpp does not say why"


class Engine:
    """A loaded model with one context: sequence 0 holds the prompt, which the next call may begin with."""

    def __init__(self, loading: Loading, stop: Callable[[], bool]) -> None:
        """Loads a model.

        Raises:
            BadModel: the file cannot be loaded.
        """
        self._log = _Log()
        self._loading = loading
        self._stop = stop
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_extra_bufts = False
        parameters.use_mmap = True
        self._model = llama_cpp.llama_model_load_from_file(str(loading.path).encode(), parameters)
        if not self._model:
            raise BadModel(f"{loading.path.name} cannot be loaded: {self._log.last}", hint="veriloop models verify")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._words = llama_cpp.llama_vocab_n_tokens(self._vocab)
        trained = llama_cpp.llama_model_n_ctx_train(self._model)
        self._context_tokens = min(loading.context_tokens or 8192, trained or 8192)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._abort = llama_cpp.ggml_abort_callback(lambda _: bool(stop()))
        self._context: Any = None
        self._memory: Any = None
        self._cells = 0
        self._held: list[int] = []
        self._need(max(self._context_tokens, _SMALLEST_CELLS))

    # --- Facts ---

    def info(self) -> ModelInfo:
        """What the file says of the model."""
        return ModelInfo(
            name=self._text_of("general.name") or self._loading.path.stem,
            context_tokens=self._context_tokens,
            parameters=llama_cpp.llama_model_n_params(self._model),
            file_bytes=self._loading.path.stat().st_size,
            has_fim=min(self._fim()) >= 0,
            has_chat=bool(self._template()),
        )

    def tokenize(self, text: str, special: bool = False, start: bool = False) -> list[int]:
        """A text's tokens.

        Args:
            text: any text.
            special: whether names of special tokens in it are those tokens; never for text that is not ours.
            start: whether the token that begins a text comes first, where the model wants one.
        """
        data = text.encode()
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), tokens, room, start, special)
        if count < 0:
            raise ModelFailed("the text cannot be split into tokens")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """A token's text; empty for a special one."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return buffer.raw[: max(0, size)]

    # --- Answers ---

    def complete(self, prompt: str, sampling: Sampling, n: int, on_piece: OnPiece) -> tuple[Completion, ...]:
        """`n` answers from one reading of the prompt."""
        return self._generate(self.tokenize(prompt, special=True, start=True), sampling, n, on_piece)

    def chat(
        self, messages: Sequence[Message], sampling: Sampling, n: int, on_piece: OnPiece
    ) -> tuple[Completion, ...]:
        """The next turn, in the template that the file holds.

        Raises:
            ModelFailed: the file holds no template, or one that cannot be used.
        """
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        template = self._template()
        if not template:
            raise ModelFailed("this model has no chat template", hint="veriloop models use NAME --for generate")

        def refuse(message: str) -> None:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = refuse
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text = environment.from_string(template).render(
                messages=turns, add_generation_prompt=True, bos_token="", eos_token=""
            )
        except TemplateError as error:
            raise ModelFailed(f"the model's chat template cannot be used: {error}") from error
        return self._generate(self.tokenize(text, special=True, start=True), sampling, n, on_piece)

    def infill(self, prefix: str, suffix: str, sampling: Sampling, n: int, on_piece: OnPiece) -> tuple[Completion, ...]:
        """What stands between; the prompt is made of the model's own tokens for prefix, suffix and middle.

        Raises:
            ModelFailed: the model has no such tokens.
        """
        return self._generate(self._gap(prefix, suffix), sampling, n, on_piece)

    def score(self, prompt: str, continuations: Sequence[str]) -> tuple[Score, ...]:
        """The log-probabilities of continuations of one prompt."""
        tokens = self.tokenize(prompt, special=True, start=True)
        return self._scored(tokens, [self.tokenize(text, special=True) for text in continuations])

    def score_infill(self, prefix: str, suffix: str, answers: Sequence[str]) -> tuple[Score, ...]:
        """The log-probabilities of texts, each with the end of the answer, as what stands between.

        Raises:
            ModelFailed: the model has no tokens for gaps.
        """
        turn, end = llama_cpp.llama_vocab_eot(self._vocab), llama_cpp.llama_vocab_eos(self._vocab)
        last = [word for word in (turn, end) if word >= 0][:1]
        return self._scored(self._gap(prefix, suffix), [[*self.tokenize(text), *last] for text in answers])

    def _scored(self, tokens: list[int], wanted: Sequence[list[int]]) -> tuple[Score, ...]:
        longest = max(map(len, wanted), default=0)
        self._fits(len(tokens), longest)
        self._need(len(tokens) + _BATCH + longest)
        first = _log_softmax(self._read(tokens)[None, :])[0] if wanted else np.zeros(0)
        found: list[Score | None] = [None] * len(wanted)
        for group in self._grouped(wanted):
            rows = self._continued(len(tokens), [wanted[number] for number in group])
            for number, logs in zip(group, rows, strict=True):
                words = wanted[number]
                values = [float(first[words[0]])] if words else []
                values += [float(row[word]) for row, word in zip(logs, words[1:], strict=True)]
                found[number] = Score(logprobs=tuple(values))
        return tuple(score for score in found if score is not None)

    def likeliest(self, text: str) -> tuple[int, ...]:
        """The likeliest next token after each token of a text, for comparing two files of one model."""
        tokens = self.tokenize(text, special=True, start=True)
        self._fits(len(tokens), 0)
        self._need(len(tokens))
        self._forget()
        found: list[int] = []
        most = max(1, min(_BATCH, _LOGITS_BYTES // (4 * self._words)))
        for offset in range(0, len(tokens), most):
            part = tokens[offset : offset + most]
            self._decode([(word, offset + place, 0, True) for place, word in enumerate(part)])
            found += [int(self._logits(index).argmax()) for index in range(len(part))]
        self._forget()
        return tuple(found)

    def _gap(self, prefix: str, suffix: str) -> list[int]:
        """The question what stands between, in the model's own tokens for prefix, suffix and middle."""
        before, after, middle = self._fim()
        if min(before, after, middle) < 0:
            raise ModelFailed("this model cannot fill in", hint="veriloop models use NAME --for complete")
        if self._text_of("veriloop.fim_order") == _SUFFIX_FIRST:
            return [after, *self.tokenize(suffix), middle, *self.tokenize(prefix)]
        return [before, *self.tokenize(prefix), after, *self.tokenize(suffix), middle]

    # --- Decoding ---

    def _grouped(self, wanted: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Continuations that fit into one batch together, by their numbers."""
        most = max(1, min(_BATCH, _LOGITS_BYTES // (4 * self._words)))
        group: list[int] = []
        size = 0
        for number, words in enumerate(wanted):
            if group and (size + len(words) > most or len(group) == _SEQUENCES - 1):
                yield group
                group, size = [], 0
            group.append(number)
            size += len(words)
        if group:
            yield group

    def _continued(self, start: int, texts: Sequence[Sequence[int]]) -> list[Any]:
        """For each text the log-probabilities after each of its tokens but the last: token by vocabulary."""
        for sequence in range(1, len(texts) + 1):
            llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, 0, -1)
        found: list[list[Any]] = [[] for _ in texts]
        items = [
            (word, start + place, number + 1, True)
            for number, words in enumerate(texts)
            for place, word in enumerate(words[:-1])
        ]
        for offset in range(0, len(items), _BATCH):
            part = items[offset : offset + _BATCH]
            self._decode(part)
            for index, (_, _, sequence, _) in enumerate(part):
                found[sequence - 1].append(self._logits(index))
        for sequence in range(1, len(texts) + 1):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return [_log_softmax(np.stack(rows)) if rows else [] for rows in found]

    def _generate(self, tokens: list[int], sampling: Sampling, n: int, on_piece: OnPiece) -> tuple[Completion, ...]:
        self._fits(len(tokens), sampling.max_tokens)
        if sampling.grammar:
            check_grammar(sampling.grammar)
        found: list[Completion] = []
        for begin in range(0, n, _SEQUENCES):
            found += self._group(tokens, sampling, range(begin, min(n, begin + _SEQUENCES)), on_piece)
        return tuple(found)

    def _group(self, tokens: list[int], sampling: Sampling, numbers: range, on_piece: OnPiece) -> list[Completion]:
        """Candidates that are decoded together, a token of each at a time."""
        self._need(len(tokens) + len(numbers) * sampling.max_tokens)
        self._read(tokens)
        answers = [_Answer(number, sampling, self, on_piece) for number in numbers]
        try:
            for sequence in range(1, len(answers)):
                llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, 0, -1)
            for answer in answers:
                answer.take(-1)
            position = len(tokens)
            speculative = sampling.draft_tokens and len(answers) == 1 and not sampling.temperature
            while running := [answer for answer in answers if not answer.finish]:
                if speculative and not sampling.grammar:
                    position = self._speculate(tokens, answers[0], position, sampling.draft_tokens)
                    continue
                self._decode([(answer.tokens[-1], position, answer.sequence(numbers), True) for answer in running])
                for index, answer in enumerate(running):
                    answer.take(index)
                position += 1
        finally:
            for answer in answers:
                answer.close()
            for sequence in range(1, len(answers)):
                llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            self._keep(tokens)
        return [answer.completion() for answer in answers]

    def _speculate(self, prompt: list[int], answer: _Answer, position: int, most: int) -> int:
        """Decodes the last token with a draft behind it and keeps what greedy decoding would have said as well."""
        drafted = draft([*prompt, *answer.tokens], min(most, answer.room))
        self._decode([(word, position + place, 0, True) for place, word in enumerate([answer.tokens[-1], *drafted])])
        for index in range(len(drafted) + 1):
            answer.take(index)
            position += 1
            if answer.finish or index == len(drafted) or answer.tokens[-1] != drafted[index]:
                break
        llama_cpp.llama_memory_seq_rm(self._memory, 0, position, -1)
        return position

    def _read(self, tokens: list[int]) -> Any:
        """Reads a prompt into sequence 0, but for what it shares with the one before; the logits after it."""
        if not tokens:
            raise ModelFailed("the prompt is empty")
        shared = 0
        for one, two in zip(self._held, tokens[:-1], strict=False):
            if one != two:
                break
            shared += 1
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, shared, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            shared = 0
        self._held = tokens[:shared]
        rest = tokens[shared:]
        part: list[int] = []
        for offset in range(0, len(rest), _BATCH):
            part = rest[offset : offset + _BATCH]
            last = offset + len(part) == len(rest)
            start = shared + offset
            self._decode(
                [(word, start + place, 0, last and place == len(part) - 1) for place, word in enumerate(part)],
                abortable=True,
            )
            self._held += part
        return self._logits(len(part) - 1)

    def _decode(self, items: Sequence[tuple[int, int, int, bool]], *, abortable: bool = False) -> None:
        """Decodes tokens, each with its position, its sequence and whether its logits are wanted."""
        if self._stop():
            raise Stopped
        batch = self._batch
        batch.n_tokens = len(items)
        for index, (word, position, sequence, wanted) in enumerate(items):
            batch.token[index] = word
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wanted
        # The callback costs a Python call a node of the graph, which a long batch does not notice.
        llama_cpp.llama_set_abort_callback(
            self._context, self._abort if abortable else llama_cpp.ggml_abort_callback(), None
        )
        code = llama_cpp.llama_decode(self._context, batch)
        if code == 0:
            return
        self._forget()
        if self._stop():
            raise Stopped
        raise ModelFailed(f"llama.cpp could not decode {len(items)} tokens (code {code}): {self._log.last}")

    def _logits(self, index: int) -> Any:
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise ModelFailed("llama.cpp gave no logits")
        return np.array(np.ctypeslib.as_array(pointer, shape=(self._words,)))

    def _keep(self, tokens: list[int]) -> None:
        """Leaves the prompt in sequence 0, for a next call that begins the same."""
        if not self._held or not llama_cpp.llama_memory_seq_rm(self._memory, 0, len(tokens), -1):
            self._forget()

    def _forget(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, True)
        self._held = []

    # --- The context ---

    def _fits(self, prompt: int, answer: int) -> None:
        if prompt + answer > self._context_tokens:
            raise DoesNotFit(
                f"the prompt of {prompt} tokens and an answer of {answer} are more than the context of "
                f"{self._context_tokens}",
                hint="a shorter prompt, or a model with a longer context: veriloop models",
            )

    def _need(self, cells: int) -> None:
        """Makes the context hold at least so many tokens of all sequences together."""
        if cells <= self._cells:
            return
        if self._context:
            llama_cpp.llama_free(self._context)
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = _BATCH
        parameters.n_seq_max = _SEQUENCES
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = self._loading.threads
        if self._loading.exact_cache:
            parameters.type_k = parameters.type_v = _FULL_FLOAT
        self._context = llama_cpp.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise ModelFailed(
                f"there is no memory for a context of {cells} tokens: {self._log.last}",
                hint="fewer candidates, or a smaller model: veriloop models",
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._cells = cells
        self._held = []

    def sampler(self, sampling: Sampling, seed: int) -> Any:
        """A chain of samplers, which the caller frees.

        Raises:
            BadGrammar: llama.cpp does not take the grammar.
        """
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if sampling.grammar:
            grammar = llama_cpp.llama_sampler_init_grammar(self._vocab, sampling.grammar.encode(), b"root")
            if not grammar:
                llama_cpp.llama_sampler_free(chain)
                raise BadGrammar(f"the grammar cannot be used: {self._log.last}")
            llama_cpp.llama_sampler_chain_add(chain, grammar)
        if not sampling.temperature:
            llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
            return chain
        for sampler in (
            llama_cpp.llama_sampler_init_top_k(sampling.top_k),
            llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
            llama_cpp.llama_sampler_init_temp(sampling.temperature),
            llama_cpp.llama_sampler_init_dist(seed),
        ):
            llama_cpp.llama_sampler_chain_add(chain, sampler)
        return chain

    def sample(self, chain: Any, index: int) -> int:
        """The next token by a chain, from the logits at an index of the last batch; -1 is the last."""
        return int(llama_cpp.llama_sampler_sample(chain, self._context, index))

    def ends(self, token: int) -> bool:
        """Whether a token ends a text, or begins another part of a prompt."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token)) or token in self._fim()

    def _fim(self) -> tuple[int, int, int]:
        return (
            llama_cpp.llama_vocab_fim_pre(self._vocab),
            llama_cpp.llama_vocab_fim_suf(self._vocab),
            llama_cpp.llama_vocab_fim_mid(self._vocab),
        )

    def _template(self) -> str:
        found = llama_cpp.llama_model_chat_template(self._model, None)
        return bytes(found).decode("utf-8", errors="replace") if found else ""

    def _text_of(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama_cpp.llama_model_meta_val_str(self._model, key.encode(), buffer, _PIECE_BYTES)
        return buffer.value.decode("utf-8", errors="replace") if size >= 0 else ""


class _Answer:
    """One candidate while it is drawn."""

    def __init__(self, number: int, sampling: Sampling, engine: Engine, on_piece: OnPiece) -> None:
        self._number = number
        self._sampling = sampling
        self._engine = engine
        self._on_piece = on_piece
        self._chain = engine.sampler(sampling, sampling.seed + number)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._shown = 0
        self._text = ""
        self.tokens: list[int] = []
        self.finish = ""

    @property
    def room(self) -> int:
        """Tokens that may still come after the next."""
        return max(0, self._sampling.max_tokens - len(self.tokens) - 1)

    def sequence(self, numbers: range) -> int:
        """Which sequence of the context it is in."""
        return self._number - numbers.start

    def take(self, index: int) -> None:
        """Draws its next token from the logits at an index of the last batch."""
        token = self._engine.sample(self._chain, index)
        if self._engine.ends(token):
            self._end("stop")
            return
        self.tokens.append(token)
        self._text += self._decoder.decode(self._engine.piece(token))
        at = min((found for stop in self._sampling.stop if (found := self._text.find(stop)) >= 0), default=-1)
        if at >= 0:
            self._text = self._text[:at]
            self._end("stop")
        elif len(self.tokens) >= self._sampling.max_tokens:
            self._end("length")
        else:
            # What may be the beginning of a stop string is held back.
            self._show(max(map(len, self._sampling.stop), default=1) - 1)

    def _end(self, why: str) -> None:
        self.finish = why
        self._show(0)

    def _show(self, held_back: int) -> None:
        end = len(self._text) - held_back
        if end > self._shown:
            self._on_piece(self._number, self._text[self._shown : end])
            self._shown = end

    def completion(self) -> Completion:
        """What it came to."""
        return Completion(
            text=self._text, tokens=len(self.tokens), finish="stop" if self.finish == "stop" else "length"
        )

    def close(self) -> None:
        """Frees its sampler."""
        llama_cpp.llama_sampler_free(self._chain)


def _log_softmax(rows: Any) -> Any:
    """Logits, a row a place, to natural logarithms of probabilities."""
    high = rows.max(axis=1, keepdims=True)
    shifted = rows - high
    return shifted - np.log(np.exp(shifted, dtype=np.float64).sum(axis=1, keepdims=True))
