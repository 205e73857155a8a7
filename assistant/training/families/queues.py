"""Queues with more to them than first in, first out: packets, rewinding, priorities, several queues in one memory."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def threshold_fifo(r: Random, variant: int) -> Draft:
    """A queue of any depth with early warnings and with flags for misuse."""
    width, depth = r.choice((4, 8, 16)), r.choice((5, 6, 8, 10, 12))
    bits, level_bits = (depth - 1).bit_length(), depth.bit_length()
    low = r.choice((1, 2))
    high = depth - r.choice((1, 2))
    sticky, through = r.random() < 0.5, r.random() < 0.4
    room = "!full || pop" if through else "!full"
    clear_port = "\n  input logic clear, // forgets the errors" if sticky else ""
    if sticky:
        errors = """
  // an error of this very cycle goes before clearing
  always_ff @(posedge clk) begin
    if (rst) begin
      overflow <= 1'b0;
      underflow <= 1'b0;
    end else begin
      if (push && !do_push) overflow <= 1'b1;
      else if (clear) overflow <= 1'b0;
      if (pop && !do_pop) underflow <= 1'b1;
      else if (clear) underflow <= 1'b0;
    end
  end
"""
    else:
        errors = """
  // one cycle for each push or pop that was refused
  always_ff @(posedge clk) begin
    if (rst) begin
      overflow <= 1'b0;
      underflow <= 1'b0;
    end else begin
      overflow <= push && !do_push;
      underflow <= pop && !do_pop;
    end
  end
"""
    counted = """
  assign full = (level == DEPTH);
  assign empty = (level == 0);
  assign almost_full = (level >= HIGH);
  assign almost_empty = (level <= LOW);

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      rd_ptr <= '0;
      level <= '0;
    end else begin
      if (do_push) wr_ptr <= (wr_ptr == DEPTH - 1) ? 0 : wr_ptr + 1'b1;
      if (do_pop) rd_ptr <= (rd_ptr == DEPTH - 1) ? 0 : rd_ptr + 1'b1;
      if (do_push && !do_pop) level <= level + 1'b1;
      else if (do_pop && !do_push) level <= level - 1'b1;
    end
  end
"""
    flagged = f"""
  logic [{level_bits - 1}:0] level_next;

  always_comb begin
    case ({{do_push, do_pop}})
      2'b10: level_next = level + 1'b1;
      2'b01: level_next = level - 1'b1;
      default: level_next = level;
    endcase
  end

  // all flags are decided a cycle ahead and come from flip-flops
  always_ff @(posedge clk) begin
    if (rst) begin
      level <= '0;
      full <= 1'b0;
      almost_full <= 1'b0;
      empty <= 1'b1;
      almost_empty <= 1'b1;
    end else begin
      level <= level_next;
      full <= (level_next == DEPTH);
      almost_full <= (level_next >= HIGH);
      empty <= (level_next == 0);
      almost_empty <= (level_next <= LOW);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
    end else if (do_push) begin
      if (wr_ptr == DEPTH - 1) wr_ptr <= '0;
      else wr_ptr <= wr_ptr + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      rd_ptr <= '0;
    end else if (do_pop) begin
      if (rd_ptr == DEPTH - 1) rd_ptr <= '0;
      else rd_ptr <= rd_ptr + 1'b1;
    end
  end
"""
    turns = f"""
  logic wr_turn, rd_turn; // invert when their pointer begins again
  logic same_turn;

  assign same_turn = (wr_turn == rd_turn);
  assign level = same_turn ? wr_ptr - rd_ptr : DEPTH + wr_ptr - rd_ptr;
  assign full = (wr_ptr == rd_ptr) & ~same_turn;
  assign empty = (wr_ptr == rd_ptr) & same_turn;
  assign almost_full = ~(level < HIGH);
  assign almost_empty = ~(level > LOW);

  always_ff @(posedge clk) begin
    if (rst) begin
      {{wr_turn, wr_ptr}} <= {bits + 1}'d0;
      {{rd_turn, rd_ptr}} <= {bits + 1}'d0;
    end else begin
      if (do_push) begin
        wr_ptr <= wr_ptr + 1'b1;
        if (wr_ptr == DEPTH - 1) begin
          wr_ptr <= '0;
          wr_turn <= ~wr_turn;
        end
      end
      if (do_pop) begin
        rd_ptr <= rd_ptr + 1'b1;
        if (rd_ptr == DEPTH - 1) begin
          rd_ptr <= '0;
          rd_turn <= ~rd_turn;
        end
      end
    end
  end
"""
    body = (counted, flagged, turns)[variant]

    def reset(s: State) -> None:
        s.queue, s.dout, s.valid, s.over, s.under = [], None, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        level = len(s.queue)
        out = {
            "dout": s.dout if s.valid else None,
            "valid": s.valid,
            "full": int(level == depth),
            "almost_full": int(level >= high),
            "empty": int(level == 0),
            "almost_empty": int(level <= low),
            "overflow": s.over,
            "underflow": s.under,
        }
        do_pop = i.pop and level > 0
        do_push = i.push and (level < depth or (through and i.pop))
        keep = sticky and not i.clear
        s.over = int((i.push and not do_push) or (keep and s.over))
        s.under = int((i.pop and not do_pop) or (keep and s.under))
        s.valid = int(do_pop)
        if do_pop:
            s.dout = s.queue.pop(0)
        if do_push:
            s.queue.append(i.din)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.filling = getattr(s, "filling", 1) ^ (r.random() < 0.06)
        return {"push": int(r.random() < 0.85 - 0.6 * (1 - s.filling)), "pop": int(r.random() < 0.85 - 0.6 * s.filling)}

    when = (
        "`overflow` and `underflow` are set by a refused push or pop and stay until `clear`"
        if sticky
        else "`overflow` and `underflow` are high for the cycle after a refused push or pop"
    )
    both = "A push at the full level is taken if a `pop` comes with it. " if through else ""
    return Draft(
        rtl=f"""
module threshold_fifo #(
  parameter int WIDTH = {width},
  parameter int DEPTH = {depth},
  parameter int HIGH = {high}, // words from which on it is almost full
  parameter int LOW = {low} // words up to which it is almost empty
) (
  input logic clk,
  input logic rst,{clear_port}
  input logic push,
  input logic [WIDTH-1:0] din,
  input logic pop,
  output logic [WIDTH-1:0] dout,
  output logic valid, // a word was popped in the cycle before
  output logic full,
  output logic almost_full,
  output logic empty,
  output logic almost_empty,
  output logic overflow,
  output logic underflow
);
  logic [WIDTH-1:0] mem [0:DEPTH-1];
  logic [{bits - 1}:0] wr_ptr, rd_ptr;
  logic [{level_bits - 1}:0] level;
  logic do_push, do_pop;

  assign do_push = push && ({room});
  assign do_pop = pop && !empty;
{body}
  always_ff @(posedge clk) begin
    if (do_push) mem[wr_ptr] <= din;
    if (do_pop) dout <= mem[rd_ptr];
  end

  always_ff @(posedge clk) begin
    if (rst) valid <= 1'b0;
    else valid <= do_pop;
  end
{errors}endmodule
""",
        about=(
            f"""FIFO of {depth} words of {width} bits with a registered output: a `pop` shows its word on `dout` a cycle
            later, with `valid`. `push` is refused while `full`, `pop` while `empty`. {both}`almost_full` is high from
            {high} words on, `almost_empty` up to {low}. {when}. The pointers wrap around after {depth - 1}.""",
            f"""Synchronous queue, {depth} x {width}, with `almost_full` (at least {high} words), `almost_empty` (at
            most
            {low}) and error flags. Data comes out one cycle after `pop`, marked by `valid`. {both}Other pushes while
            `full` and pops while `empty` do nothing but raise the error: {when}.""",
        ),
        model=Machine(reset, step),
        names=("fifo_flags", "level_fifo", "fifo_almost", "sync_fifo_ext"),
        stimulus={"clear": 0.15},
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def packet_fifo(r: Random, variant: int) -> Draft:
    """Words can be read only when their packet is complete and good."""
    width, bits = r.choice((4, 8, 12)), r.choice((3, 4))
    depth = 1 << bits
    marked = r.random() < 0.5
    """Whether a bad packet is told by a mark on its last word, or by an abort at any time."""
    counts = r.random() < 0.5
    bad = "bad" if marked else "abort"
    commit, undo = ("do_push && last && !bad", "do_push && last && bad") if marked else ("do_push && last", "abort")
    pushing = "push && !full" if marked else "push && !full && !abort"
    pointers = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      start_ptr <= '0;
    end else if ({undo}) begin
      wr_ptr <= start_ptr; // back to where the packet began
    end else if (do_push) begin
      wr_ptr <= wr_ptr + 1'b1;
      if (last) start_ptr <= wr_ptr + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) rd_ptr <= '0;
    else if (do_pop) rd_ptr <= rd_ptr + 1'b1;
  end

  assign full = (wr_ptr[ADDR] != rd_ptr[ADDR]) && (wr_ptr[ADDR-1:0] == rd_ptr[ADDR-1:0]);
"""
    nexts = f"""
  logic commit, undo;
  logic [ADDR:0] wr_ptr_next, start_ptr_next, used;

  assign commit = {commit};
  assign undo = {undo};

  always_comb begin
    wr_ptr_next = wr_ptr;
    start_ptr_next = start_ptr;
    if (undo) wr_ptr_next = start_ptr;
    else if (do_push) wr_ptr_next = wr_ptr + 1'b1;
    if (commit) start_ptr_next = wr_ptr_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      start_ptr <= '0;
      rd_ptr <= '0;
    end else begin
      wr_ptr <= wr_ptr_next;
      start_ptr <= start_ptr_next;
      rd_ptr <= do_pop ? rd_ptr + 1'b1 : rd_ptr;
    end
  end

  // words of the unfinished packet take room too
  assign used = wr_ptr - rd_ptr;
  assign full = (used == DEPTH);
"""
    lengths = f"""
  logic [ADDR:0] length; // words of the packet so far
  logic [ADDR:0] ready_words; // words of whole packets

  assign wr_ptr = start_ptr + length;

  always_ff @(posedge clk) begin
    if (rst) begin
      start_ptr <= '0;
      length <= '0;
    end else if ({undo}) begin
      length <= '0;
    end else if (do_push && last) begin
      start_ptr <= start_ptr + length + 1'b1;
      length <= '0;
    end else if (do_push) begin
      length <= length + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) rd_ptr <= '0;
    else rd_ptr <= rd_ptr + do_pop;
  end

  assign ready_words = start_ptr - rd_ptr;
  assign full = (ready_words + length >= DEPTH);
"""
    body = (pointers, nexts, lengths)[variant]
    counting = f"""
  // a packet comes with its commit and goes with its last word
  always_ff @(posedge clk) begin
    if (rst) begin
      packets <= '0;
    end else begin
      case ({{{"commit" if variant == 1 else commit}, do_pop && dout_last}})
        2'b10: packets <= packets + 1'b1;
        2'b01: packets <= packets - 1'b1;
        default: packets <= packets;
      endcase
    end
  end
"""

    def reset(s: State) -> None:
        s.done, s.open, s.packets = [], [], 0

    def step(s: State, i: Pins) -> Outputs:
        empty, full = not s.done, len(s.done) + len(s.open) == depth
        head, head_last = s.done[0] if s.done else (None, None)
        out = {"dout": head, "dout_last": head_last, "empty": int(empty), "full": int(full)}
        if counts:
            out["packets"] = s.packets
        if i.pop and not empty:
            s.done.pop(0)
            s.packets -= head_last
        abort = not marked and i.abort
        if abort:
            s.open = []
        elif i.push and not full:
            s.open.append((i.din, i.last))
            if i.last and not (marked and i.bad):
                s.done += s.open
                s.packets += 1
            if i.last:
                s.open = []
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.reading = getattr(s, "reading", 1) ^ (r.random() < 0.08)
        full = len(s.done) + len(s.open) == depth
        stuck = full and not s.done
        pins = {
            "push": int(r.random() < 0.75),
            "last": int(r.random() < 0.25 or (marked and len(s.open) >= depth - 1)),
            "pop": int(r.random() < (0.8 if s.reading else 0.1)),
        }
        pins[bad] = int(r.random() < (0.3 if marked else 0.5 if stuck else 0.06))
        return pins

    port = ",\n  output logic [ADDR:0] packets // whole packets that wait" if counts else ""
    said = (
        "the last word of a packet carries `last`; if it carries `bad` too, the whole packet is dropped, else it is"
        " committed"
        if marked
        else "the last word of a packet carries `last` and commits it; `abort` drops all words since the last commit,"
        " and"
        " the word pushed in the same cycle"
    )
    return Draft(
        rtl=f"""
module packet_fifo #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic [WIDTH-1:0] din,
  input logic last,
  input logic {bad}, // drops the packet
  output logic full,
  input logic pop,
  output logic [WIDTH-1:0] dout,
  output logic dout_last,
  output logic empty{port}
);
  localparam int DEPTH = 1 << ADDR;
  logic [WIDTH:0] mem [0:DEPTH-1]; // the mark of the last word on top
  logic [ADDR:0] wr_ptr, start_ptr, rd_ptr;
  logic do_push, do_pop;

  assign do_push = {pushing};
  assign do_pop = pop && !empty;

  // the reader sees nothing of a packet that has not ended
  assign empty = (rd_ptr == start_ptr);
{body}
  always_ff @(posedge clk) begin
    if (do_push) mem[wr_ptr[ADDR-1:0]] <= {{last, din}};
  end

  assign {{dout_last, dout}} = mem[rd_ptr[ADDR-1:0]];
{counting if counts else ""}endmodule
""",
        about=(
            f"""Store-and-forward FIFO of {depth} words of {width} bits. `push` writes `din` unless `full`; {said}.
            Words can be read only after their packet is committed: `dout` and `dout_last` show the oldest committed
            word
            unless `empty`, `pop` takes it away. `full` counts the uncommitted words too.{
                " `packets` is the number of committed packets that have not been read to their last word."
                if counts
                else ""
            }""",
            f"""Packet queue, {depth} entries, {width} bits and an end mark. Writing is provisional: {said}. `empty`
            is low while there are committed words; `pop` removes the one on `dout`, whose mark is `dout_last`. A push
            while `full` is ignored.{" `packets` counts the whole packets inside." if counts else ""}""",
        ),
        model=Machine(reset, step),
        names=("frame_fifo", "store_forward_fifo", "commit_fifo", "pkt_queue"),
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def rewind_fifo(r: Random, variant: int) -> Draft:
    """The reader may go back to a mark and read the words again."""
    width, bits = r.choice((4, 8, 16)), r.choice((2, 3, 4))
    depth = 1 << bits
    ahead = r.random() < 0.5
    """Whether a mark in the cycle of a pop stands behind the popped word."""
    mark_at = "rd_ptr_next" if ahead else "rd_ptr"
    split = f"""
  logic [ADDR:0] rd_ptr_next;

  assign rd_ptr_next = do_pop ? rd_ptr + 1'b1 : rd_ptr;

  always_ff @(posedge clk) begin
    if (rst) wr_ptr <= '0;
    else if (do_push) wr_ptr <= wr_ptr + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) rd_ptr <= '0;
    else if (rewind) rd_ptr <= mark_ptr;
    else rd_ptr <= rd_ptr_next;
  end

  // rewinding leaves the mark where it is
  always_ff @(posedge clk) begin
    if (rst) mark_ptr <= '0;
    else if (mark && !rewind) mark_ptr <= {mark_at};
  end

  assign full = (wr_ptr == {{~mark_ptr[ADDR], mark_ptr[ADDR-1:0]}});
  assign empty = (wr_ptr == rd_ptr);
"""
    counts = f"""
  logic [ADDR:0] unread, kept; // words ahead of the reader, and those between it and the mark

  assign full = (unread + kept == DEPTH);
  assign empty = (unread == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      rd_ptr <= '0;
      unread <= '0;
      kept <= '0;
    end else begin
      if (do_push) wr_ptr <= wr_ptr + 1'b1;
      if (rewind) begin
        rd_ptr <= rd_ptr - kept;
        unread <= unread + kept + do_push;
        kept <= '0;
      end else begin
        rd_ptr <= rd_ptr + do_pop;
        unread <= unread + do_push - do_pop;
        if (mark) kept <= {"'0" if ahead else "do_pop"};
        else kept <= kept + do_pop;
      end
    end
  end
"""
    body = (split, counts)[variant]

    def reset(s: State) -> None:
        s.words, s.at = [], 0

    def step(s: State, i: Pins) -> Outputs:
        full, empty = len(s.words) == depth, s.at == len(s.words)
        out = {"dout": None if empty else s.words[s.at], "full": int(full), "empty": int(empty)}
        if i.push and not full:
            s.words.append(i.din)
        at = s.at + int(i.pop and not empty)
        if i.rewind:
            s.at = 0
        else:
            begin = at if ahead else s.at
            if i.mark:
                s.words = s.words[begin:]
                at -= begin
            s.at = at
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        full = len(s.words) == depth
        return {
            "push": int(r.random() < 0.7),
            "pop": int(r.random() < 0.6),
            "mark": int(r.random() < (0.3 if full else 0.12)),
            "rewind": int(r.random() < 0.1),
        }

    ptr = "wr_ptr, rd_ptr" if variant else "wr_ptr, rd_ptr, mark_ptr"
    behind = "behind" if ahead else "in front of"
    return Draft(
        rtl=f"""
module rewind_fifo #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic [WIDTH-1:0] din,
  output logic full,
  input logic pop,
  input logic mark, // the words read so far are not needed again
  input logic rewind, // reads again from the mark on
  output logic [WIDTH-1:0] dout,
  output logic empty
);
  localparam int DEPTH = 1 << ADDR;
  logic [WIDTH-1:0] mem [0:DEPTH-1];
  logic [ADDR:0] {ptr};
  logic do_push, do_pop;

  // words behind the mark keep their places
  assign do_push = push && !full;
  assign do_pop = pop && !empty;
{body}
  always_ff @(posedge clk) begin
    if (do_push) mem[wr_ptr[ADDR-1:0]] <= din;
  end

  assign dout = mem[rd_ptr[ADDR-1:0]];
endmodule
""",
        about=(
            f"""FIFO of {depth} words of {width} bits that can be read again. `dout` shows the next word unless `empty`,
            `pop` goes on to the one after it. `mark` remembers the place of reading ({behind} the word that is popped
            in
            the same cycle) and so gives free the words before it; at first the mark is at the beginning. `rewind` goes
            back to the mark, and then `pop` and `mark` in that cycle do nothing. `full` counts all words from the mark
            on; a `push` while `full` is ignored.""",
            f"""Queue with retransmission, {depth} entries. A word that was popped stays in memory until a `mark` has
            passed it; `rewind` sets the read pointer back to the mark and goes before `pop` and `mark`. A `mark`
            together
            with a pop stands {behind} the popped word. `full`: {depth} words lie between the mark and the write
            pointer.""",
        ),
        model=Machine(reset, step),
        names=("replay_fifo", "retry_fifo", "fifo_with_mark", "retransmit_queue"),
        drive=drive,
        cycles=240,
    )


@family(variants=3)
def multi_queue(r: Random, variant: int) -> Draft:
    """Several queues with a section of one memory each."""
    width, bits, count = r.choice((4, 8)), r.choice((1, 2)), r.choice((2, 3, 4))
    depth = 1 << bits
    sel_bits = (count - 1).bit_length()
    drops = r.random() < 0.5
    arrays = """
  logic [ADDR:0] wr_ptr [0:QUEUES-1];
  logic [ADDR:0] rd_ptr [0:QUEUES-1];

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int q = 0; q < QUEUES; q++) begin
        wr_ptr[q] <= '0;
        rd_ptr[q] <= '0;
      end
    end else begin
      if (do_push) wr_ptr[push_sel] <= wr_ptr[push_sel] + 1'b1;
      if (do_pop) rd_ptr[pop_sel] <= rd_ptr[pop_sel] + 1'b1;
    end
  end

  // a queue is full when its pointers differ in the upper bit only
  always_comb begin
    for (int q = 0; q < QUEUES; q++) begin
      empty[q] = (wr_ptr[q] == rd_ptr[q]);
      full[q] = (wr_ptr[q] == (rd_ptr[q] ^ DEPTH));
    end
  end

  assign wr_place = wr_ptr[push_sel][ADDR-1:0];
  assign rd_place = rd_ptr[pop_sel][ADDR-1:0];
"""
    generated = """
  logic [ADDR-1:0] wr_ptr [0:QUEUES-1];
  logic [ADDR-1:0] rd_ptr [0:QUEUES-1];
  logic [QUEUES-1:0] pushes, pops;

  for (genvar q = 0; q < QUEUES; q++) begin : gen_queue
    logic [ADDR:0] level;

    assign pushes[q] = do_push && (push_sel == q);
    assign pops[q] = do_pop && (pop_sel == q);
    assign full[q] = (level == DEPTH);
    assign empty[q] = (level == 0);

    always_ff @(posedge clk) begin
      if (rst) begin
        wr_ptr[q] <= '0;
        rd_ptr[q] <= '0;
        level <= '0;
      end else begin
        if (pushes[q]) wr_ptr[q] <= wr_ptr[q] + 1'b1;
        if (pops[q]) rd_ptr[q] <= rd_ptr[q] + 1'b1;
        if (pushes[q] != pops[q]) level <= pushes[q] ? level + 1'b1 : level - 1'b1;
      end
    end
  end

  assign wr_place = wr_ptr[push_sel];
  assign rd_place = rd_ptr[pop_sel];
"""
    packed = """
  // pointers and levels of all queues side by side
  logic [QUEUES*ADDR-1:0] wr_ptrs, rd_ptrs;
  logic [QUEUES*(ADDR+1)-1:0] levels;

  assign wr_place = wr_ptrs[push_sel*ADDR +: ADDR];
  assign rd_place = rd_ptrs[pop_sel*ADDR +: ADDR];

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptrs <= '0;
      rd_ptrs <= '0;
    end else begin
      if (do_push) wr_ptrs[push_sel*ADDR +: ADDR] <= wr_place + 1'b1;
      if (do_pop) rd_ptrs[pop_sel*ADDR +: ADDR] <= rd_place + 1'b1;
    end
  end

  // a queue that is pushed and popped at once keeps its level
  always_ff @(posedge clk) begin
    if (rst) begin
      levels <= '0;
    end else if (!(do_push && do_pop && push_sel == pop_sel)) begin
      if (do_push) levels[push_sel*(ADDR+1) +: ADDR+1] <= levels[push_sel*(ADDR+1) +: ADDR+1] + 1'b1;
      if (do_pop) levels[pop_sel*(ADDR+1) +: ADDR+1] <= levels[pop_sel*(ADDR+1) +: ADDR+1] - 1'b1;
    end
  end

  always_comb begin
    for (int q = 0; q < QUEUES; q++) begin
      full[q] = levels[q*(ADDR+1) + ADDR];
      empty[q] = (levels[q*(ADDR+1) +: ADDR+1] == 0);
    end
  end
"""
    body = (arrays, generated, packed)[variant]

    def reset(s: State) -> None:
        s.queues = [[] for _ in range(count)]

    def step(s: State, i: Pins) -> Outputs:
        full = sum(1 << q for q, queue in enumerate(s.queues) if len(queue) == depth)
        empty = sum(1 << q for q, queue in enumerate(s.queues) if not queue)
        source = s.queues[i.pop_sel]
        out = {"full": full, "empty": empty, "dout": source[0] if source else None}
        refused = i.push and full >> i.push_sel & 1
        if drops:
            out["dropped"] = int(refused)
        if i.pop and source:
            source.pop(0)
        if i.push and not refused:
            s.queues[i.push_sel].append(i.din)
        return out

    port = ",\n  output logic dropped // the word of this cycle found no room" if drops else ""
    return Draft(
        rtl=f"""
module multi_queue #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits},
  parameter int QUEUES = {count}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic [{sel_bits - 1}:0] push_sel,
  input logic [WIDTH-1:0] din,
  input logic pop,
  input logic [{sel_bits - 1}:0] pop_sel,
  output logic [WIDTH-1:0] dout,
  output logic [QUEUES-1:0] full,
  output logic [QUEUES-1:0] empty{port}
);
  localparam int DEPTH = 1 << ADDR;
  // each queue has a section of its own
  logic [WIDTH-1:0] mem [0:QUEUES*DEPTH-1];
  logic [ADDR-1:0] wr_place, rd_place;
  logic do_push, do_pop;

  assign do_push = push && !full[push_sel];
  assign do_pop = pop && !empty[pop_sel];
{"  assign dropped = push && full[push_sel];" if drops else ""}
{body}
  always_ff @(posedge clk) begin
    if (do_push) mem[{{push_sel, wr_place}}] <= din;
  end

  assign dout = mem[{{pop_sel, rd_place}}];
endmodule
""",
        about=(
            f"""{count} FIFOs of {depth} words of {width} bits in one memory with one write port and one read port.
            `push` appends `din` to queue `push_sel` unless its bit of `full` is set{
                " (then `dropped` is high in that cycle)" if drops else ""
            }; `pop` takes the oldest word from queue `pop_sel` unless its bit of `empty` is set. `dout` shows
            the oldest word of queue `pop_sel` without delay. Both may happen at once, in the same queue too.""",
            f"""Multi-channel queue memory: {count} channels, {depth} entries each. The section of a channel is
            addressed
            by its number above the pointer. `full` and `empty` have a bit for each channel; what they forbid is
            ignored{", and `dropped` tells of a refused push at once" if drops else ""}. `dout` is the head of channel
            `pop_sel`.""",
        ),
        model=Machine(reset, step),
        names=("channel_fifos", "queue_bank", "multi_channel_fifo", "mq_memory"),
        stimulus={
            "push": 0.65,
            "pop": 0.45,
            "push_sel": lambda r: r.randrange(count),
            "pop_sel": lambda r: r.randrange(count),
        },
        cycles=220,
    )


@family(variants=3)
def priority_queue(r: Random, variant: int) -> Draft:
    """Keeps its entries in order by shifting when one is inserted."""
    width, key_bits, depth = r.choice((4, 8)), r.choice((3, 4, 6)), r.choice((4, 5, 6))
    smallest = r.random() < 0.6
    before = "<" if smallest else ">"
    level_bits = depth.bit_length()
    looped = f"""
  // entries behind which the new one belongs, so that equal keys keep their order
  always_comb begin
    for (int k = 0; k < DEPTH; k++) stays[k] = used[k] && !(key {before} keys[k]);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      used <= '0;
    end else if (pop && !empty) begin
      for (int k = 0; k < DEPTH - 1; k++) begin
        keys[k] <= keys[k+1];
        data[k] <= data[k+1];
      end
      used <= used >> 1;
    end else if (push && !full) begin
      if (!stays[0]) begin
        keys[0] <= key;
        data[0] <= din;
      end
      for (int k = 1; k < DEPTH; k++) begin
        if (!stays[k]) begin
          // the first that makes room gets the new entry, all behind it the one in front of them
          keys[k] <= stays[k-1] ? key : keys[k-1];
          data[k] <= stays[k-1] ? din : data[k-1];
        end
      end
      used <= {{used[DEPTH-2:0], 1'b1}};
    end
  end
"""
    cells = f"""
  logic do_push, do_pop;

  assign do_push = push && !full && !do_pop;
  assign do_pop = pop && !empty;

  for (genvar k = 0; k < DEPTH; k++) begin : gen_cell
    assign stays[k] = used[k] && (keys[k] {"<=" if smallest else ">="} key);

    if (k == 0) begin : gen_first
      always_ff @(posedge clk) begin
        if (do_pop) begin
          keys[k] <= keys[k+1];
          data[k] <= data[k+1];
        end else if (do_push && !stays[k]) begin
          keys[k] <= key;
          data[k] <= din;
        end
      end
    end else begin : gen_other
      always_ff @(posedge clk) begin
        if (do_pop) begin
          if (k < DEPTH - 1) begin
            keys[k] <= keys[(k + 1) % DEPTH];
            data[k] <= data[(k + 1) % DEPTH];
          end
        end else if (do_push && !stays[k]) begin
          keys[k] <= stays[k-1] ? key : keys[k-1];
          data[k] <= stays[k-1] ? din : data[k-1];
        end
      end
    end
  end

  // used cells are at the front
  always_ff @(posedge clk) begin
    if (rst) used <= '0;
    else if (do_pop) used <= {{1'b0, used[DEPTH-1:1]}};
    else if (do_push) used <= {{used[DEPTH-2:0], 1'b1}};
  end
"""
    counted = f"""
  logic [{level_bits - 1}:0] level, place;

  // the place of the new entry is the number of those that go before it
  always_comb begin
    place = '0;
    for (int k = 0; k < DEPTH; k++) begin
      used[k] = (k < level);
      stays[k] = used[k] && (keys[k] {"<=" if smallest else ">="} key);
      if (stays[k]) place = place + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) level <= '0;
    else if (pop && !empty) level <= level - 1'b1;
    else if (push && !full) level <= level + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (pop && !empty) begin
      for (int k = 1; k < DEPTH; k++) begin
        keys[k-1] <= keys[k];
        data[k-1] <= data[k];
      end
    end else if (push && !full) begin
      for (int k = DEPTH - 1; k > 0; k--) begin
        if (k > place) begin
          keys[k] <= keys[k-1];
          data[k] <= data[k-1];
        end
      end
      keys[place] <= key;
      data[place] <= din;
    end
  end
"""
    body = (looped, cells, counted)[variant]

    def reset(s: State) -> None:
        s.entries = []

    def step(s: State, i: Pins) -> Outputs:
        head = s.entries[0] if s.entries else (None, None)
        full, empty = len(s.entries) == depth, not s.entries
        out = {"top_key": head[0], "dout": head[1], "full": int(full), "empty": int(empty)}
        if i.pop and not empty:
            s.entries.pop(0)
        elif i.push and not full:
            s.entries.append((i.key, i.din))
            s.entries.sort(key=lambda entry: entry[0] if smallest else -entry[0])
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.filling = getattr(s, "filling", 1) ^ (r.random() < 0.08)
        return {"push": int(r.random() < 0.8), "pop": int(r.random() < 0.6 - 0.45 * s.filling)}

    which = "smallest" if smallest else "largest"
    return Draft(
        rtl=f"""
module priority_queue #(
  parameter int WIDTH = {width},
  parameter int KEY = {key_bits},
  parameter int DEPTH = {depth}
) (
  input logic clk,
  input logic rst,
  input logic push,
  input logic [KEY-1:0] key,
  input logic [WIDTH-1:0] din,
  input logic pop, // goes before a push
  output logic [KEY-1:0] top_key, // the {which}
  output logic [WIDTH-1:0] dout,
  output logic full,
  output logic empty
);
  logic [KEY-1:0] keys [0:DEPTH-1];
  logic [WIDTH-1:0] data [0:DEPTH-1];
  logic [DEPTH-1:0] used, stays;

  assign full = used[DEPTH-1];
  assign empty = !used[0];
  assign top_key = keys[0];
  assign dout = data[0];
{body}endmodule
""",
        about=(
            f"""Priority queue of {depth} entries in sorted registers. `push` inserts `din` with its `key` unless
            `full`; the entry with the {which} key stands in front and shows on `top_key` and `dout`; among equal keys
            the oldest does. `pop` takes it away unless `empty`. Where both are asked for and there is an entry, only
            the
            `pop` is done.""",
            f"""Keeps up to {depth} words sorted by key, {which} first and first come first among equals, by shifting
            the entries behind the place of insertion. `pop` removes the first one and goes before `push`, which it
            cancels (unless `empty`); a push while `full` is ignored.""",
        ),
        model=Machine(reset, step),
        names=("sorted_queue", "insertion_queue", "prio_queue", "event_queue"),
        drive=drive,
        stimulus={"key": lambda r: r.getrandbits(key_bits)},
        cycles=220,
    )
