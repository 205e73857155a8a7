"""Machines that look for patterns in what comes by."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def sequence_detector(r: Random, variant: int) -> Draft:
    """Finds a pattern of bits in a serial stream; overlapping or not, Mealy or Moore."""
    size = r.choice((3, 4, 4, 5))
    pattern = "".join(r.choice("01") for _ in range(size - 1)) + "1"
    overlap, moore = r.random() < 0.5, r.random() < 0.5

    def follow(seen: str) -> str:
        """The longest end of what was seen that the pattern starts with."""
        return next(seen[k:] for k in range(len(seen) + 1) if pattern.startswith(seen[k:]))

    def after(known: str, bit: str) -> str:
        found = known + bit
        if known == pattern:
            found = (known[1:] if overlap else "") + bit
        return pattern if found == pattern else follow(found)

    def mealy(known: str, bit: str) -> str:
        found = known + bit
        return (follow(found[1:]) if overlap else "") if found == pattern else follow(found)

    known = [pattern[:k] for k in range(size + moore)]
    arcs = {(one, bit): (after if moore else mealy)(one, bit) for one in known for bit in "01"}

    def name(one: str) -> str:
        return f"GOT_{one}" if one else "IDLE"

    bits = (len(known) - 1).bit_length()
    arms = "\n".join(
        f"      {name(one)}: state_next = din ? {name(arcs[one, '1'])} : {name(arcs[one, '0'])};" for one in known
    )
    seen = f"state == {name(pattern)}" if moore else f"en && din && (state == {name(pattern[:-1])})"
    machine = f"""
  typedef enum logic [{bits - 1}:0] {{{", ".join(map(name, known))}}} state_t;
  state_t state, state_next;

  // each state is the part of the pattern that has been seen
  always_comb begin
    case (state)
{arms}
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else if (en) state <= state_next;
  end

  assign detect = {seen};
"""
    moved = "" if overlap else "if (match) seen <= '0; // the next one starts afresh\n      else "
    shifted = f"""
  localparam logic [{size - 1}:0] PATTERN = {size}'b{pattern};
  logic [{size - 2}:0] history; // the newest bit in place 0
  logic [{size - 2}:0] seen; // which of them came since {"the reset" if overlap else "the reset or the last match"}
  logic match;

  assign match = (&seen) && ({{history, din}} == PATTERN);

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      seen <= '0;
    end else if (en) begin
      history <= {{history[{size - 3}:0], din}};
      {moved}seen <= {{seen[{size - 3}:0], 1'b1}};
    end
  end
"""
    registered = """
  always_ff @(posedge clk) begin
    if (rst) detect <= 1'b0;
    else if (en) detect <= match;
  end
"""
    shifted += registered if moore else "\n  assign detect = en && match;\n"
    sources = {
        one: " || ".join(
            f"(at[{known.index(before)}] && {'din' if bit == '1' else '!din'})"
            for (before, bit), to in arcs.items()
            if to == one
        )
        for one in known
    }
    ones = "\n".join(f"  assign at_next[{k}] = {sources[one] or '1' + chr(39) + 'b0'};" for k, one in enumerate(known))
    one_hot = f"""
  // one flip-flop for each length of the pattern that has been seen, from none to {len(known) - 1}
  logic [{len(known) - 1}:0] at, at_next;

{ones}

  always_ff @(posedge clk) begin
    if (rst) at <= {len(known)}'d1;
    else if (en) at <= at_next;
  end

  assign detect = {f"at[{size}]" if moore else f"en && din && at[{size - 1}]"};
"""
    body = (machine, shifted, one_hot)[variant]

    def reset(s: State) -> None:
        s.seen, s.found = "", 0

    def step(s: State, i: Pins) -> Outputs:
        seen = (s.seen + str(i.din))[-size:]
        match = int(seen == pattern)
        out = s.found if moore else i.en & match
        if i.en:
            s.seen, s.found = ("" if match and not overlap else seen), match
        return {"detect": out}

    def drive(r: Random, s: State) -> dict[str, int]:
        # Mostly the bit that goes on with the pattern.
        wish = next(k for k in range(size, -1, -1) if s.seen.endswith(pattern[:k])) % size
        return {"din": int(pattern[wish]) if r.random() < 0.7 else r.getrandbits(1)}

    when = (
        "from the clock edge that takes the last bit to the next enabled one"
        if moore
        else "in the cycle of its last bit"
    )
    return Draft(
        rtl=f"""
module sequence_detector (
  input logic clk,
  input logic rst,
  input logic en, // a bit comes in
  input logic din,
  output logic detect
);
  {body}
endmodule
""",
        about=(
            f"""Looks for the bit pattern {pattern}, first bit left, in the serial input `din`, which counts where `en`
            is high. {"Matches may overlap" if overlap else "Matches do not overlap: after one the search starts anew"}.
            `detect` is high {when} ({"Moore" if moore else "Mealy"} output).""",
            f"""{"Moore" if moore else "Mealy"} detector of the serial sequence {pattern},
            {"overlapping" if overlap else "non-overlapping"}; `din` is sampled in cycles with `en`.""",
        ),
        model=Machine(reset, step),
        names=("seq_detect", f"detect_{pattern}", "pattern_detector", "seq_fsm"),
        stimulus={"en": 0.85},
        drive=drive,
    )


@family(variants=3)
def run_detector(r: Random, variant: int) -> Draft:
    """Sees that a line has stood still for some samples."""
    length = r.choice((3, 4, 5, 6, 8, 10))
    level = r.choice((0, 1, None))
    bits = length.bit_length()
    wanted = "same" if level is None else "din" if level else "!din"
    keep_last = "last <= din;" if level is None else ""
    last = "logic last;\n  logic same;\n\n  assign same = (din == last);" if level is None else ""
    start = f"{bits}'d1" if level is None else "'0"
    clear = "last <= 1'b0;\n      " if level is None else ""
    counted = f"""
  logic [{bits - 1}:0] run; // samples in a row, {length} at most
  {last}

  always_ff @(posedge clk) begin
    if (rst) begin
      {clear}run <= '0;
    end else if (sample) begin
      {keep_last}
      if (!({wanted})) run <= {start};
      else if (run != LENGTH) run <= run + 1'b1;
    end
  end

  assign stable = (run == LENGTH);
"""
    if level is None:
        # Before the first sample there is none to be the same as.
        counted = counted.replace(f"if (!({wanted}))", f"if (run == 0 || !({wanted}))")
        tested = "(&(history ~^ {LENGTH{history[0]}}))"
    else:
        tested = "(&history)" if level else "(~|history)"
    filled = f"""
  logic [LENGTH-1:0] history;
  logic [LENGTH-1:0] seen; // places of `history` that have been filled

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      seen <= '0;
    end else if (sample) begin
      history <= {{history[LENGTH-2:0], din}};
      seen <= {{seen[LENGTH-2:0], 1'b1}};
    end
  end

  assign stable = (&seen) && {tested};
"""
    down = f"""
  logic [{bits - 1}:0] missing; // samples still needed
  logic restart;
  {last}

  assign restart = !({wanted}){" || (missing == LENGTH)" if level is None else ""};

  always_ff @(posedge clk) begin
    if (rst) begin
      {clear}missing <= LENGTH;
    end else if (sample) begin
      {keep_last}
      if (restart) missing <= LENGTH{" - 1" if level is None else ""};
      else if (missing != 0) missing <= missing - 1'b1;
    end
  end

  assign stable = (missing == 0);
"""
    body = (counted, filled, down)[variant]

    def reset(s: State) -> None:
        s.seen = []

    def step(s: State, i: Pins) -> Outputs:
        values = {level} if level is not None else {0, 1}
        out = int(any(s.seen == [value] * length for value in values))
        if i.sample:
            s.seen = [*s.seen, i.din][-length:]
        return {"stable": out}

    what = "ones" if level else "zeros" if level == 0 else "equal bits"
    return Draft(
        rtl=f"""
module run_detector #(
  parameter int LENGTH = {length}
) (
  input logic clk,
  input logic rst,
  input logic sample,
  input logic din,
  output logic stable
);
  {body}
endmodule
""",
        about=f"""`stable` is high from the clock edge at which {length} {what} in a row have been sampled from `din`
            until a sample breaks the run. A sample is taken at each edge with `sample` high; those from before the
            reset do not count.""",
        model=Machine(reset, step),
        names=("run_length_detector", "stable_detector", "stuck_detector"),
        stimulus={"sample": 0.9},
        drive=lambda r, s: {"din": (s.seen[-1] if s.seen else 0) ^ int(r.random() < 1.2 / length)},
        cycles=60 + 12 * length,
    )


@family(variants=3)
def word_matcher(r: Random, variant: int) -> Draft:
    """Waits for a short command in a stream of characters."""
    word = r.choice(("AT", "OK", "GET", "RUN", "STOP", "PING", "HELLO", "RESET"))
    size = len(word)
    bits = (size - 1).bit_length()
    codes = [ord(one) for one in word]
    arms = "\n".join(f"      {bits}'d{k}: wanted = 8'h{code:02x}; // {word[k]}" for k, code in enumerate(codes))
    counting = f"""
  logic [{bits - 1}:0] matched; // letters of the word that have come
  logic [7:0] wanted;

  // the letter that comes next
  always_comb begin
    case (matched)
{arms}
      default: wanted = 8'h00;
    endcase
  end

  assign match = valid && (char_in == wanted) && (matched == {size - 1});

  always_ff @(posedge clk) begin
    if (rst) begin
      matched <= '0;
    end else if (valid) begin
      if (match) matched <= '0;
      else if (char_in == wanted) matched <= matched + 1'b1;
      else if (char_in == 8'h{codes[0]:02x}) matched <= {bits}'d1; // may be the start of another one
      else matched <= '0;
    end
  end
"""
    names = ["IDLE", *(f"AFTER_{word[: k + 1]}" for k in range(size - 1))]
    steps = "\n".join(
        f"""        {names[k]}: begin
          if (char_in == 8'h{codes[k]:02x}) state_next = {names[(k + 1) % size]};
          else if (char_in == FIRST) state_next = {names[1]};
          else state_next = IDLE;
        end"""
        for k in range(1, size)
    )
    machine = f"""
  localparam logic [7:0] FIRST = 8'h{codes[0]:02x};
  typedef enum logic [{bits - 1}:0] {{{", ".join(names)}}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    if (valid) begin
      case (state)
        IDLE: if (char_in == FIRST) state_next = {names[1]};
{steps}
        default: state_next = IDLE;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  assign match = valid && (state == {names[-1]}) && (char_in == 8'h{codes[-1]:02x});
"""
    text = "".join(f"{code:02x}" for code in codes)
    history = f"""
  localparam logic [{8 * size - 1}:0] WORD = {8 * size}'h{text}; // {word}
  logic [{8 * size - 9}:0] history; // the characters before this one, the newest lowest

  assign match = valid && ({{history, char_in}} == WORD);

  always_ff @(posedge clk) begin
    if (rst) history <= '0;
    else if (match) history <= '0;
    else if (valid) history <= {"char_in" if size == 2 else f"{{history[{8 * size - 17}:0], char_in}}"};
  end
"""
    body = (counting, machine, history)[variant]

    def reset(s: State) -> None:
        s.seen = []

    def step(s: State, i: Pins) -> Outputs:
        seen = [*s.seen, i.char_in][-size:]
        match = bool(i.valid) and seen == codes
        if i.valid:
            s.seen = [] if match else seen
        return {"match": int(match)}

    def drive(r: Random, s: State) -> dict[str, int]:
        best = max(k for k in range(size) if k == 0 or s.seen[-k:] == codes[:k])
        kind = r.random()
        return {"char_in": codes[best] if kind < 0.75 else r.choice(codes) if kind < 0.9 else r.randrange(32, 127)}

    return Draft(
        rtl=f"""
module word_matcher (
  input logic clk,
  input logic rst,
  input logic valid, // a character comes
  input logic [7:0] char_in,
  output logic match
);
  {body}
endmodule
""",
        about=f"""Watches a stream of ASCII characters, one in each cycle with `valid`, for the word "{word}". `match`
            is high in the cycle of its last letter. The letters have to follow each other without another character
            between; cycles without `valid` do not matter.""",
        model=Machine(reset, step),
        names=("command_matcher", "string_detector", "keyword_detect"),
        stimulus={"valid": 0.8},
        drive=drive,
        cycles=160,
    )


@family(variants=2, held_out=True)
def frame_synchroniser(r: Random, variant: int) -> Draft:
    """Finds the sync word of serial frames and keeps in step with it."""
    size = r.choice((4, 5, 6))
    word = r.choice([k for k in range(1, (1 << size) - 1) if bin(k).count("1") not in (0, size)])
    length = r.choice((12, 16, 20))
    misses = r.choice((1, 2, 3))
    bits = (length - 1).bit_length()
    state = """
  typedef enum logic [1:0] {HUNT, VERIFY, LOCKED} state_t;
  state_t state;
"""
    one = f"""
  {state}
  assign locked = (state == LOCKED);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= HUNT;
      position <= '0;
      missed <= '0;
    end else begin
      position <= at_end ? '0 : position + 1'b1;
      case (state)
        HUNT: if (is_sync) begin
          position <= '0; // the frame has ended with this bit
          missed <= '0;
          state <= VERIFY;
        end
        VERIFY: if (at_end) state <= is_sync ? LOCKED : HUNT; // has to come again in its place
        LOCKED: if (at_end) begin
          if (is_sync) missed <= '0;
          else if (missed == MISSES) state <= HUNT;
          else missed <= missed + 1'b1;
        end
        default: state <= HUNT;
      endcase
    end
  end
"""
    split = """
  logic hunting, restart, lost;

  assign hunting = !locked && !verify;
  assign restart = hunting && is_sync;
  assign lost = at_end && !is_sync && (missed == MISSES);

  // place of the bit in the frame
  always_ff @(posedge clk) begin
    if (rst) position <= '0;
    else if (restart || at_end) position <= '0;
    else position <= position + 1'b1;
  end

  logic verify;

  always_ff @(posedge clk) begin
    if (rst) begin
      verify <= 1'b0;
      locked <= 1'b0;
    end else begin
      if (restart) verify <= 1'b1;
      else if (at_end) verify <= 1'b0;
      if (verify && at_end) locked <= is_sync; // the second one in its place
      else if (lost) locked <= 1'b0;
    end
  end

  // frames in a row without their word
  always_ff @(posedge clk) begin
    if (rst) missed <= '0;
    else if (restart) missed <= '0;
    else if (locked && at_end) missed <= (is_sync || lost) ? '0 : missed + 1'b1;
  end
""".replace("  logic verify;\n\n", "").replace("logic hunting,", "logic verify;\n  logic hunting,")
    body = (one, split)[variant]

    def reset(s: State) -> None:
        s.mode, s.position, s.missed, s.history, s.sent = "hunt", 0, 0, 0, r.randrange(length)

    def step(s: State, i: Pins) -> Outputs:
        window = (s.history << 1 | i.din) & (1 << size) - 1
        sync, end = window == word, s.position == length - 1
        out = {"locked": int(s.mode == "locked"), "frame_start": int(s.mode == "locked" and s.position == 0)}
        s.position = 0 if end else s.position + 1
        if s.mode == "hunt" and sync:
            s.mode, s.position, s.missed = "verify", 0, 0
        elif s.mode == "verify" and end:
            s.mode = "locked" if sync else "hunt"
        elif s.mode == "locked" and end:
            if sync:
                s.missed = 0
            elif s.missed == misses:
                s.mode = "hunt"
            else:
                s.missed += 1
        s.history = window & (1 << size - 1) - 1
        s.sent = (s.sent + 1) % length
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # A sender of frames, with stretches of noise.
        if s.sent == 0:
            s.noise = r.random() < 0.35
        place = length - 1 - s.sent
        if place < size and not getattr(s, "noise", False):
            return {"din": word >> place & 1}
        return {"din": r.getrandbits(1)}

    return Draft(
        rtl=f"""
module frame_synchroniser #(
  parameter int LENGTH = {length}, // bits in a frame
  parameter int MISSES = {misses} // damaged frames in a row that are forgiven
) (
  input logic clk,
  input logic rst,
  input logic din, // a bit each cycle
  output logic locked,
  output logic frame_start // the first bit behind a sync word
);
  localparam logic [{size - 1}:0] SYNC = {size}'b{word:0{size}b};
  logic [{size - 2}:0] history;
  logic [{bits - 1}:0] position;
  logic [1:0] missed;
  logic is_sync, at_end;

  // the sync word ends a frame
  assign is_sync = ({{history, din}} == SYNC);
  assign at_end = (position == LENGTH - 1);
  assign frame_start = locked && (position == 0);

  always_ff @(posedge clk) begin
    if (rst) history <= '0;
    else history <= {"din" if size == 2 else f"{{history[{size - 3}:0], din}}"};
  end
  {body}
endmodule
""",
        about=f"""Frame synchroniser for serial frames of {length} bits that end with the sync word
            {word:0{size}b} (left bit first), one bit of `din` a cycle. It hunts for the word anywhere, then checks that
            it comes again {length} bits later (else it hunts again, from the next bit), and is then `locked`. The
            lock is
            given up at the end of a frame without the word after {misses} such frames in a row before it.
            `frame_start` marks the first bit of each frame while locked. The word may contain zeros from before the
            first bit after reset.""",
        model=Machine(reset, step),
        names=("frame_sync", "frame_aligner", "sync_fsm"),
        drive=drive,
        cycles=length * 24,
    )
