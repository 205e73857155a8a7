"""Traffic control: who may send when, how much, and what is sent again."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def token_bucket(r: Random, variant: int) -> Draft:
    """Lets an average rate through, and bursts up to a limit."""
    period = r.choice((2, 3, 4, 5))
    rate = r.choice((1, 2, 3))
    burst = r.choice((8, 10, 15, 20))
    two = r.random() < 0.5
    excess = r.choice((6, 12, 16))
    spill = """
    // what does not fit goes to the second bucket
    excess_next = excess;
    if (yellow) excess_next = excess_next - size;
    excess_next = excess_next + over;
    if (excess_next > EXCESS) excess_next = EXCESS;
"""
    sums = f"""
  logic [6:0] tokens_next{", excess_next, over" if two else ""};

  always_comb begin
    tokens_next = tokens;
    if (green) tokens_next = tokens_next - size;
    if (tick) tokens_next = tokens_next + RATE;
    {"over = '0;" if two else ""}
    if (tokens_next > BURST) begin
      {"over = tokens_next - BURST;" if two else ""}
      tokens_next = BURST;
    end
{spill if two else ""}  end

  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
      tokens <= BURST;
      {"excess <= EXCESS;" if two else ""}
    end else begin
      timer <= tick ? '0 : timer + 1'b1;
      tokens <= tokens_next;
      {"excess <= excess_next;" if two else ""}
    end
  end
"""
    arms = f"""
  logic [6:0] full; // with all that is added, before the limit

  always_comb begin
    case ({{tick, green}})
      2'b00: full = tokens;
      2'b01: full = tokens - size;
      2'b10: full = tokens + RATE;
      default: full = tokens - size + RATE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (tick) timer <= '0;
    else timer <= timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) tokens <= BURST;
    else if (full > BURST) tokens <= BURST;
    else tokens <= full;
  end
{
        '''
  logic [6:0] over, rest;

  // the second bucket lives on what the first one has no room for
  assign over = (full > BURST) ? full - BURST : 0;
  assign rest = yellow ? excess - size : excess;

  always_ff @(posedge clk) begin
    if (rst) excess <= EXCESS;
    else if (rest + over > EXCESS) excess <= EXCESS;
    else excess <= rest + over;
  end
'''
        if two
        else ""
    }"""
    function = f"""
  logic [6:0] income, spent, total;

  function automatic logic [6:0] capped(input logic [6:0] value, input logic [6:0] top);
    if (value > top) capped = top;
    else capped = value;
  endfunction

  assign income = tick ? RATE : 0;
  assign spent = green ? size : 0;
  assign total = tokens - spent + income;

  always_ff @(posedge clk) begin
    if (rst) begin
      tokens <= BURST;
      timer <= '0;
    end else begin
      tokens <= capped(total, BURST);
      if (tick) timer <= '0;
      else timer <= timer + 1'b1;
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) excess <= EXCESS;
    else excess <= capped(excess - (yellow ? size : 0) + (total - capped(total, BURST)), EXCESS);
  end
'''
        if two
        else ""
    }"""
    body = (sums, arms, function)[variant]

    def reset(s: State) -> None:
        s.tokens, s.excess, s.timer = burst, excess, 0

    def step(s: State, i: Pins) -> Outputs:
        green = i.req and i.size <= s.tokens
        yellow = two and i.req and not green and i.size <= s.excess
        out = {"green": int(green), "red": int(i.req and not green and not yellow), "level": s.tokens}
        if two:
            out["yellow"] = int(yellow)
        tick = s.timer == period - 1
        s.timer = 0 if tick else s.timer + 1
        total = s.tokens - (i.size if green else 0) + (rate if tick else 0)
        s.tokens = min(total, burst)
        s.excess = min(s.excess - (i.size if yellow else 0) + total - s.tokens, excess)
        return out

    second = (
        f" Tokens beyond that go to a second bucket, which holds up to {excess}. A request that the first bucket cannot"
        " pay is `yellow` where the second one can, and takes its tokens there; where neither can it is `red` and takes"
        " none."
        if two
        else " A request that it cannot pay is `red` and takes nothing."
    )
    return Draft(
        rtl=f"""
module token_bucket #(
  parameter int PERIOD = {period},
  parameter int RATE = {rate},
  parameter int BURST = {burst}
) (
  input logic clk,
  input logic rst,
  input logic req,
  input logic [3:0] size,
  output logic green,
{"  output logic yellow," if two else ""}
  output logic red,
  output logic [5:0] level
);
{f"  localparam int EXCESS = {excess};" if two else ""}
  logic [6:0] tokens{", excess" if two else ""};
  logic [2:0] timer;
  logic tick;

  assign tick = (timer == PERIOD - 1);
  assign level = tokens[5:0];
  assign green = req && (size <= tokens);
{"  assign yellow = req && !green && (size <= excess);" if two else ""}
  assign red = req && !green{" && !yellow" if two else ""};
  {body}
endmodule
""",
        about=(
            f"Rate limiter of the token bucket kind. Every {period} cycles {rate}"
            f" token{'s come' if rate > 1 else ' comes'} into the bucket, at the end of the last of these"
            f" cycles; it holds up to {burst}. A packet asks with"
            " `req` and its `size` and is answered in the same cycle: `green` where the bucket has at least `size`"
            f" tokens, which are then taken.{second} Tokens that come in a cycle cannot be spent in it; what is spent"
            " is taken off before the limit is applied. Buckets are full after reset, and `level` shows the tokens of"
            " the first.",
        ),
        model=Machine(reset, step),
        names=("rate_limiter", "traffic_policer", "policer", "bandwidth_limiter"),
        stimulus={"req": lambda r: r.random() < 0.4, "size": (0, 1, 1, 2, 3, 4, 5, 6, 9, 15)},
        cycles=180,
    )


@family(variants=2)
def software_flow_control(r: Random, variant: int) -> Draft:
    """XON and XOFF between the bytes, in both directions."""
    on, off = r.choice(((0x11, 0x13), (0x13, 0x11), (0xE1, 0xE3), (0x05, 0x06)))
    low, high = r.choice(((2, 6), (3, 12), (4, 8), (1, 13)))
    wake = r.random() < 0.4
    wake_rule = " || rx_data != XOFF" if wake else ""
    one = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      stopped <= 1'b0;
      told_off <= 1'b0;
    end else begin
      // what the other side says about our bytes
      if (rx_valid) begin
        if (rx_data == XOFF) stopped <= 1'b1;
        else if (rx_data == XON{wake_rule}) stopped <= 1'b0;
      end
      if (due && line_ready) told_off <= !told_off;
    end
  end

  assign due = told_off ? (fill <= LOW) : (fill >= HIGH);
  assign keep = rx_valid && (rx_data != XON) && (rx_data != XOFF);

  // a control byte goes before data, and goes even while we are stopped
  always_comb begin
    tx_ready = 1'b0;
    line_valid = 1'b0;
    line_data = tx_data;
    if (due) begin
      line_valid = 1'b1;
      line_data = told_off ? XON : XOFF;
    end else if (!stopped) begin
      line_valid = tx_valid;
      tx_ready = line_ready;
    end
  end
"""
    split = f"""
  typedef enum logic {{OPEN, CLOSED}} gate_t;
  gate_t gate; // what the other side was told
  logic is_on, is_off;

  assign is_on = rx_valid && (rx_data == XON);
  assign is_off = rx_valid && (rx_data == XOFF);
  assign keep = rx_valid && !is_on && !is_off;

  always_ff @(posedge clk) begin
    if (rst) stopped <= 1'b0;
    else if (is_off) stopped <= 1'b1;
    else if ({"rx_valid" if wake else "is_on"}) stopped <= 1'b0;
  end

  always_comb begin
    case (gate)
      OPEN: due = (fill >= HIGH);
      default: due = (fill <= LOW);
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      gate <= OPEN;
    end else if (due && line_ready) begin
      case (gate)
        OPEN: gate <= CLOSED;
        default: gate <= OPEN;
      endcase
    end
  end

  assign told_off = (gate == CLOSED);
  assign line_valid = due || (tx_valid && !stopped);
  assign tx_ready = line_ready && !due && !stopped;
  assign line_data = !due ? tx_data : told_off ? XON : XOFF;
"""
    body = (one, split)[variant]

    def reset(s: State) -> None:
        s.stopped = s.told = 0

    def step(s: State, i: Pins) -> Outputs:
        due = i.fill <= low if s.told else i.fill >= high
        valid = due or (i.tx_valid and not s.stopped)
        data = (on if s.told else off) if due else i.tx_data
        out = {
            "keep": int(i.rx_valid and i.rx_data not in (on, off)),
            "tx_ready": int(i.line_ready and not due and not s.stopped),
            "line_valid": int(valid),
            "line_data": data if valid else None,
            "stopped": s.stopped,
        }
        if i.rx_valid:
            if i.rx_data == off:
                s.stopped = 1
            elif i.rx_data == on or wake:
                s.stopped = 0
        if due and i.line_ready:
            s.told ^= 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.fill = min(max(getattr(s, "fill", 0) + r.choice((-2, -1, -1, 0, 1) if s.told else (-1, 0, 1, 1, 2)), 0), 15)
        return {"fill": s.fill}

    back = f"{on:02x}{' or any other byte than ' + f'{off:02x}' if wake else ''}"
    return Draft(
        rtl=f"""
module software_flow_control #(
  parameter int LOW = {low},
  parameter int HIGH = {high}
) (
  input logic clk,
  input logic rst,
  input logic rx_valid,
  input logic [7:0] rx_data,
  output logic keep, // the byte is data, for the receive buffer
  input logic [3:0] fill, // of the receive buffer
  input logic tx_valid,
  input logic [7:0] tx_data,
  output logic tx_ready,
  output logic line_valid,
  output logic [7:0] line_data,
  input logic line_ready,
  output logic stopped
);
  localparam logic [7:0] XON = 8'h{on:02x};
  localparam logic [7:0] XOFF = 8'h{off:02x};
  logic due, told_off;
  {body}
endmodule
""",
        about=f"""Flow control by bytes in the stream, XOFF {off:02x} and XON {on:02x} (hexadecimal), for both
            directions.
            Received: {off:02x} sets `stopped` from the next cycle on, {back} clears it; `keep` is high, in the same
            cycle, for received bytes that are neither of the two. Sent: while `stopped`, bytes from `tx_valid`,
            `tx_data` and `tx_ready` wait, else they go to the line unchanged and without delay. Where `fill` is
            {high} or more and the other side has not been told to stop, {off:02x} is sent; where it has and `fill` is
            {low} or less, {on:02x}. Such a byte goes before data and also while `stopped`, and data waits; it counts as
            told when `line_ready` takes it.""",
        model=Machine(reset, step),
        names=("xon_xoff", "flow_control", "xonxoff_ctrl", "inband_flow"),
        stimulus={
            "rx_valid": 0.5,
            "tx_valid": 0.8,
            "line_ready": 0.7,
            "rx_data": lambda r: r.choice((on, on, off, r.getrandbits(8), on ^ 1)),
        },
        drive=drive,
        cycles=200,
    )


@family(variants=3)
def replay_window(r: Random, variant: int) -> Draft:
    """Which numbers have been seen already, for numbers that come about in order."""
    bits = r.choice((5, 6, 8))
    size = r.choice((4, 6, 8))
    half = 1 << (bits - 1)
    shifting = """
  assign ahead = number - newest;
  assign behind = newest - number;
  assign is_newer = !begun || (ahead != 0 && !ahead[BITS-1]);
  assign in_window = (behind < SIZE);
  assign accept = valid && (is_newer || (in_window && !seen[behind]));
  assign old = valid && !is_newer && !in_window;
  assign duplicate = valid && !is_newer && in_window && seen[behind];

  // bit k of `seen` is about the number `newest - k`
  always_ff @(posedge clk) begin
    if (rst) begin
      begun <= 1'b0;
      newest <= '0;
      seen <= '0;
    end else if (accept) begin
      begun <= 1'b1;
      if (!begun) begin
        newest <= number;
        seen <= 1;
      end else if (is_newer) begin
        newest <= number;
        seen <= (seen << ahead) | 1'b1;
      end else begin
        seen[behind] <= 1'b1;
      end
    end
  end
"""
    chosen = """
  logic hit;

  always_comb begin
    ahead = number - newest;
    behind = newest - number;
    is_newer = (ahead >= 1) && (ahead < HALF);
    in_window = 1'b0;
    hit = 1'b0;
    for (int k = 0; k < SIZE; k++) begin
      if (behind == k) begin
        in_window = 1'b1;
        hit = seen[k];
      end
    end
  end

  // the verdict; nothing is old before the first number has come
  always_comb begin
    accept = 1'b0;
    duplicate = 1'b0;
    old = 1'b0;
    if (valid) begin
      if (!begun || is_newer) accept = 1'b1;
      else if (!in_window) old = 1'b1;
      else if (hit) duplicate = 1'b1;
      else accept = 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      begun <= 1'b0;
      newest <= '0;
    end else if (valid && (!begun || is_newer)) begin
      begun <= 1'b1;
      newest <= number;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      seen <= '0;
    end else if (valid && !begun) begin
      seen <= 1;
    end else if (valid) begin
      if (is_newer) begin
        for (int k = 1; k < SIZE; k++) seen[k] <= (k >= ahead) && seen[k-ahead];
        seen[0] <= 1'b1;
      end else if (in_window) begin
        seen[behind] <= 1'b1;
      end
    end
  end
"""
    masked = """
  logic [SIZE-1:0] place, seen_next;

  assign ahead = number - newest;
  assign behind = newest - number;
  assign is_newer = ~begun | (ahead[BITS-1] == 1'b0 && |ahead);
  // one hot, or zero outside the window
  assign place = (behind < SIZE) ? {{(SIZE-1){1'b0}}, 1'b1} << behind : 0;
  assign in_window = |place;
  assign duplicate = valid & ~is_newer & |(place & seen);
  assign old = valid & ~is_newer & ~in_window;
  assign accept = valid & ~duplicate & ~old;

  always_comb begin
    seen_next = seen | place;
    if (!begun) seen_next = 1;
    else if (is_newer) seen_next = (seen << ahead) | 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      begun <= 1'b0;
      newest <= '0;
      seen <= '0;
    end else if (valid) begin
      begun <= 1'b1;
      seen <= seen_next;
      if (is_newer) newest <= number;
    end
  end
"""
    body = (shifting, chosen, masked)[variant]

    def reset(s: State) -> None:
        s.newest, s.seen = None, set()

    def step(s: State, i: Pins) -> Outputs:
        out = {"accept": 0, "duplicate": 0, "old": 0, "newest": s.newest or 0}
        if not i.valid:
            return out
        ahead = 0 if s.newest is None else (i.number - s.newest) % (1 << bits)
        behind = -ahead % (1 << bits)
        if s.newest is None or 0 < ahead < half:
            out["accept"] = 1
            s.seen = {0} | {k + ahead for k in s.seen if k + ahead < size}
            s.newest = i.number
        elif behind >= size:
            out["old"] = 1
        elif behind in s.seen:
            out["duplicate"] = 1
        else:
            out["accept"] = 1
            s.seen = s.seen | {behind}
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        offset = r.choice((*range(-size - 1, 4), 1, 1, 1, 2, r.randrange(1 << bits)))
        return {"number": ((s.newest or 0) + offset) % (1 << bits)}

    return Draft(
        rtl=f"""
module replay_window #(
  parameter int BITS = {bits},
  parameter int SIZE = {size}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [BITS-1:0] number,
  output logic accept,
  output logic duplicate,
  output logic old,
  output logic [BITS-1:0] newest
);
{"  localparam int HALF = 1 << (BITS - 1);" if variant == 1 else ""}
  logic [SIZE-1:0] seen;
  logic [BITS-1:0] ahead, behind;
  logic begun, is_newer, in_window;
  {body}
endmodule
""",
        about=f"""Keeps a receiver from taking a packet twice. Packets come with `valid` and a sequence `number` of
            {bits} bits, which wraps; the answer is given in the same cycle. The first number after reset is accepted.
            Then a number is newer than `newest`, the newest one accepted, if it lies 1 to {half - 1} above it (modulo
            {1 << bits});
            it is accepted. Else, with a distance of at most {size - 1} below `newest` (0 is `newest` itself), it is a
            `duplicate` if it has been accepted before, and accepted if not; farther below it is `old`. Exactly one of
            `accept`, `duplicate` and `old` is high with `valid`. `newest` is 0 at first.""",
        model=Machine(reset, step),
        names=("sequence_window", "anti_replay", "duplicate_filter", "seq_check"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=160,
    )


@family(variants=2)
def arq_sender(r: Random, variant: int) -> Draft:
    """Sends each word until the other side has it: stop and wait."""
    width = r.choice((4, 8))
    timeout, tries = r.choice((4, 6, 9)), r.choice((2, 3, 4))
    nak = r.random() < 0.5
    nak_port = "  input logic ack_negative, // damaged: send again\n" if nak else ""
    positive = "ack_valid && !ack_negative && ack_seq == seq" if nak else "ack_valid && ack_seq == seq"
    early = " || (ack_valid && ack_negative)" if nak else ""
    single = """
  typedef enum logic [1:0] {IDLE, SEND, WAIT} state_t;
  state_t state;

  assign ready = (state == IDLE);
  assign frame_valid = (state == SEND);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      frame_data <= '0;
      seq <= 1'b0;
      timer <= '0;
      sent <= '0;
      failed <= 1'b0;
    end else begin
      failed <= 1'b0;
      case (state)
        IDLE: begin
          sent <= '0;
          if (valid) begin
            frame_data <= data;
            state <= SEND;
          end
        end
        SEND: begin
          timer <= '0;
          if (frame_ready) begin
            sent <= sent + 1'b1;
            state <= WAIT;
          end
        end
        default: begin
          timer <= timer + 1'b1;
          if (acked) begin
            seq <= !seq; // the next word has the other number
            state <= IDLE;
          end else if (again) begin
            if (sent == TRIES) begin
              // given up; the number moves on all the same
              failed <= 1'b1;
              seq <= !seq;
              state <= IDLE;
            end else begin
              state <= SEND;
            end
          end
        end
      endcase
    end
  end
"""
    split = """
  typedef enum logic [1:0] {IDLE, SEND, WAIT} state_t;
  state_t state, state_next;
  logic give_up, finished;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (valid) state_next = SEND;
      SEND: if (frame_ready) state_next = WAIT;
      WAIT: begin
        if (finished) state_next = IDLE;
        else if (again) state_next = SEND;
      end
      default: state_next = IDLE;
    endcase
  end

  assign give_up = (state == WAIT) && again && !acked && (sent == TRIES);
  assign finished = (state == WAIT) && (acked || give_up);
  assign ready = (state == IDLE);
  assign frame_valid = (state == SEND);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      failed <= 1'b0;
    end else begin
      state <= state_next;
      failed <= give_up;
    end
  end

  // one bit is enough to tell a word from the one before
  always_ff @(posedge clk) begin
    if (rst) seq <= 1'b0;
    else if (finished) seq <= ~seq;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
      sent <= '0;
    end else begin
      timer <= (state == WAIT) ? timer + 1'b1 : '0;
      if (state == IDLE) sent <= '0;
      else if (state == SEND && frame_ready) sent <= sent + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) frame_data <= '0;
    else if (ready && valid) frame_data <= data;
  end
"""
    body = (single, split)[variant]

    def reset(s: State) -> None:
        s.state, s.data, s.seq, s.timer, s.sent, s.failed = "idle", 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        sending = s.state == "send"
        out = {
            "ready": int(s.state == "idle"),
            "frame_valid": int(sending),
            "frame_data": s.data if sending else None,
            "frame_seq": s.seq if sending else None,
            "failed": s.failed,
        }
        s.failed = 0
        if s.state == "idle":
            s.sent = 0
            if i.valid:
                s.data, s.state = i.data, "send"
        elif sending:
            s.timer = 0
            if i.frame_ready:
                s.sent += 1
                s.state = "wait"
        else:
            negative = nak and i.ack_valid and i.ack_negative
            if i.ack_valid and not negative and i.ack_seq == s.seq:
                s.seq, s.state = 1 - s.seq, "idle"
            elif negative or s.timer == timeout - 1:
                if s.sent == tries:
                    s.failed, s.seq, s.state = 1, 1 - s.seq, "idle"
                else:
                    s.state = "send"
            s.timer += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.05:
            s.quality = r.choice((0.05, 0.15, 0.4))
        likely = getattr(s, "quality", 0.2)
        return {"ack_valid": int(r.random() < likely), "ack_seq": s.seq ^ (r.random() < 0.3)}

    negative = ", or on a negative answer, whatever its number," if nak else ""
    return Draft(
        rtl=f"""
module arq_sender #(
  parameter int TIMEOUT = {timeout},
  parameter int TRIES = {tries}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  output logic ready,
  input logic [{width - 1}:0] data,
  output logic frame_valid,
  input logic frame_ready,
  output logic [{width - 1}:0] frame_data,
  output logic frame_seq,
  input logic ack_valid,
  input logic ack_seq,
{nak_port}  output logic failed
);
  logic seq, acked, again;
  logic [3:0] timer;
  logic [2:0] sent; // how often the frame has gone out

  assign frame_seq = seq;
  assign acked = {positive};
  assign again = (timer == TIMEOUT - 1){early};
  {body}
endmodule
""",
        about=(
            "Stop-and-wait sender. A word taken by `valid` and `ready` is sent as a frame with a sequence bit, which is"
            " 0 for the first word and changes with every further one: `frame_valid` stays with `frame_data` and"
            " `frame_seq` until `frame_ready`. Then an answer is awaited: a positive one with the right `ack_seq` ends"
            f" the word, others are ignored. After {timeout} cycles of waiting{negative} the frame is sent again; a"
            f" right answer in the last of these cycles still counts. A frame goes out {tries} times at most: where"
            " the next would follow, `failed` is high for the cycle after and the word is given up. `ready` is high"
            " while there is no word. Answers count only while one is awaited.",
        ),
        model=Machine(reset, step),
        names=("stop_and_wait_tx", "arq_tx", "reliable_sender", "retransmitter"),
        stimulus={"valid": 0.6, "frame_ready": 0.6, "ack_negative": 0.25},
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def arq_receiver(r: Random, variant: int) -> Draft:
    """Answers every good frame, and hands on each word once."""
    width = r.choice((4, 8))
    bits = r.choice((1, 2, 3))
    nak = r.random() < 0.5
    one = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      expected <= '0;
      valid <= 1'b0;
      data <= '0;
      ack_valid <= 1'b0;
      ack_seq <= '0;
{"      ack_negative <= 1'b0;" if nak else ""}
      lost <= 1'b0;
    end else begin
      ack_valid <= 1'b0;
      lost <= 1'b0;
      if (ready) valid <= 1'b0;
      if (frame_valid && !frame_good) begin
        {"ack_valid <= 1'b1;" if nak else "lost <= 1'b1; // no answer: the sender's timer will run out"}
        {"ack_negative <= 1'b1;" if nak else ""}
        {"ack_seq <= expected;" if nak else ""}
      end else if (frame_valid) begin
        {"ack_negative <= 1'b0;" if nak else ""}
        ack_seq <= frame_seq;
        if (frame_seq != expected) begin
          ack_valid <= (frame_seq == previous); // our answer got lost: give it again
          lost <= (frame_seq != previous);
        end else if (!valid || ready) begin
          ack_valid <= 1'b1;
          valid <= 1'b1;
          data <= frame_data;
          expected <= expected + 1'b1;
        end else begin
          lost <= 1'b1;
        end
      end
    end
  end
"""
    flags = f"""
  logic take, repeated, damaged;

  assign take = frame_valid && frame_good && (frame_seq == expected) && (!valid || ready);
  assign repeated = frame_valid && frame_good && (frame_seq == previous);
  assign damaged = frame_valid && !frame_good;

  // the buffer of one word
  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      data <= '0;
      expected <= '0;
    end else if (take) begin
      valid <= 1'b1;
      data <= frame_data;
      expected <= expected + 1'b1;
    end else if (ready) begin
      valid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      ack_valid <= 1'b0;
      ack_seq <= '0;
      lost <= 1'b0;
{"      ack_negative <= 1'b0;" if nak else ""}
    end else begin
      ack_valid <= take || repeated{" || damaged" if nak else ""};
      ack_seq <= {"damaged ? expected : frame_seq" if nak else "frame_seq"};
      lost <= frame_valid && !take && !repeated{" && !damaged" if nak else ""};
{"      ack_negative <= damaged;" if nak else ""}
    end
  end
"""
    body = (one, flags)[variant]
    top = (1 << bits) - 1

    def reset(s: State) -> None:
        s.expected = s.valid = s.data = s.lost = 0
        s.ack = (0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        sent, seq, negative = s.ack
        out = {
            "valid": s.valid,
            "data": s.data if s.valid else None,
            "ack_valid": sent,
            "ack_seq": seq if sent else None,
            "lost": s.lost,
        }
        if nak:
            out["ack_negative"] = negative if sent else None
        room = not s.valid or i.ready
        s.valid = int(s.valid and not i.ready)
        s.ack, s.lost = (0, 0, 0), 0
        if i.frame_valid and not i.frame_good:
            s.ack, s.lost = (1, s.expected, 1) if nak else (0, 0, 0), int(not nak)
        elif i.frame_valid:
            if i.frame_seq == s.expected and room:
                s.ack, s.valid, s.data = (1, i.frame_seq, 0), 1, i.frame_data
                s.expected = s.expected + 1 & top
            elif i.frame_seq == s.expected - 1 & top:
                s.ack = 1, i.frame_seq, 0
            else:
                s.lost = 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return {"frame_seq": s.expected + r.choice((0, 0, 0, -1, -1, 1, 2)) & top}

    bad = (
        "is answered with `ack_negative` and the number that is expected" if nak else "is not answered and gives `lost`"
    )
    strange = " A good frame with any other number is not answered and gives `lost` too." if bits > 1 else ""
    return Draft(
        rtl=f"""
module arq_receiver (
  input logic clk,
  input logic rst,
  input logic frame_valid,
  input logic frame_good, // its checksum was right
  input logic [{bits - 1}:0] frame_seq,
  input logic [{width - 1}:0] frame_data,
  output logic valid,
  input logic ready,
  output logic [{width - 1}:0] data,
  output logic ack_valid,
  output logic [{bits - 1}:0] ack_seq,
{"  output logic ack_negative," if nak else ""}
  output logic lost
);
  logic [{bits - 1}:0] expected, previous;

  assign previous = expected - 1'b1;
  {body}
endmodule
""",
        about=f"""Receiver of a stop-and-wait protocol with sequence numbers of {bits} bit{"s" if bits > 1 else ""}. A
            frame comes in a cycle with `frame_valid` and is answered in the next one with `ack_valid` and `ack_seq`. A
            good frame with the expected number (0 at first, then one more for each word, wrapping) is stored and
            acknowledged with its number; `valid` holds the word until `ready`. Where the word before is still there and
            is not taken in that cycle the frame is not answered and `lost` is high for the next cycle. A good frame
            with the number before the expected one is a repetition: it is acknowledged again but not stored.{strange} A
            damaged frame {bad}. The number and the kind of an answer, and `data`, mean nothing without their
            valid.""",
        model=Machine(reset, step),
        names=("stop_and_wait_rx", "arq_rx", "reliable_receiver", "ack_generator"),
        stimulus={"frame_valid": 0.6, "frame_good": 0.8, "ready": 0.5},
        drive=drive,
        cycles=180,
    )


@family(variants=2)
def collision_backoff(r: Random, variant: int) -> Draft:
    """Tries again after a random time that grows with every collision."""
    slot, jam = r.choice((2, 3, 4)), r.choice((2, 3, 4))
    limit, cap = r.choice(((4, 2), (4, 3), (5, 3), (6, 3)))
    taps = r.choice((0xB8, 0x8E, 0x95, 0xE1))
    masks = "\n".join(f"      3'd{k}: mask = 4'd{(1 << min(k, cap)) - 1};" for k in range(1, limit))
    table = f"""
  always_comb begin
    case (tries)
{masks}
      default: mask = 4'd{(1 << min(limit, cap)) - 1};
    endcase
  end
"""
    shifted = """
  // twice as many slots to choose from with each collision, up to a limit
  assign mask = (tries < CAP) ? (4'd1 << tries) - 4'd1 : (4'd1 << CAP) - 4'd1;
"""
    single = f"""
  typedef enum logic [1:0] {{READY, SEND, JAM, WAIT}} state_t;
  state_t state;

  assign transmit = (state == SEND);
  assign jamming = (state == JAM);
  {table}
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= READY;
      tries <= 3'd0;
      slots <= 4'd0;
      timer <= 3'd0;
      done <= 1'b0;
      abort <= 1'b0;
    end else begin
      done <= 1'b0;
      abort <= 1'b0;
      case (state)
        READY: if (req && !carrier) state <= SEND;
        SEND: begin
          timer <= 3'd0;
          if (collision) begin
            tries <= tries + 3'd1;
            state <= JAM;
          end else if (sent) begin
            tries <= 3'd0;
            done <= 1'b1;
            state <= READY;
          end
        end
        JAM: begin
          // everybody shall notice
          timer <= timer + 3'd1;
          if (timer == JAM_TIME - 1) begin
            timer <= 3'd0;
            if (tries == LIMIT) begin
              tries <= 3'd0;
              abort <= 1'b1;
              state <= READY;
            end else begin
              slots <= random[3:0] & mask;
              state <= WAIT;
            end
          end
        end
        WAIT: begin
          if (slots == 4'd0) begin
            state <= READY;
          end else if (timer == SLOT - 1) begin
            timer <= 3'd0;
            slots <= slots - 4'd1;
          end else begin
            timer <= timer + 3'd1;
          end
        end
      endcase
    end
  end
"""
    split = f"""
  localparam logic [1:0] READY = 2'd0;
  localparam logic [1:0] SEND = 2'd1;
  localparam logic [1:0] JAM = 2'd2;
  localparam logic [1:0] WAIT = 2'd3;
  logic [1:0] state, state_next;
  logic success, jam_over, slot_over, too_many;

  assign success = (state == SEND) && sent && !collision;
  assign jam_over = (state == JAM) && (timer == JAM_TIME - 1);
  assign slot_over = (state == WAIT) && (timer == SLOT - 1);
  assign too_many = jam_over && (tries == LIMIT);
  {shifted}
  always_comb begin
    state_next = state;
    case (state)
      READY: if (req && !carrier) state_next = SEND;
      SEND: begin
        if (collision) state_next = JAM;
        else if (sent) state_next = READY;
      end
      JAM: if (jam_over) state_next = too_many ? READY : WAIT;
      default: if (slots == 0) state_next = READY;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= READY;
    else state <= state_next;
  end

  // collisions of this frame
  always_ff @(posedge clk) begin
    if (rst) tries <= '0;
    else if (success || too_many) tries <= '0;
    else if (state == SEND && collision) tries <= tries + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == READY || state == SEND || jam_over || slot_over) timer <= '0;
    else timer <= timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) slots <= '0;
    else if (jam_over) slots <= random[3:0] & mask;
    else if (slot_over && slots != 0) slots <= slots - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      abort <= 1'b0;
    end else begin
      done <= success;
      abort <= too_many;
    end
  end

  assign transmit = (state == SEND);
  assign jamming = (state == JAM);
"""
    body = (single, split)[variant]

    def reset(s: State) -> None:
        s.state, s.tries, s.slots, s.timer, s.done, s.abort, s.random = "ready", 0, 0, 0, 0, 0, 1

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "transmit": int(s.state == "send"),
            "jamming": int(s.state == "jam"),
            "done": s.done,
            "abort": s.abort,
        }
        s.done = s.abort = 0
        number = s.random
        s.random = (s.random << 1 | (s.random & taps).bit_count() & 1) & 255
        if s.state == "ready":
            if i.req and not i.carrier:
                s.state = "send"
        elif s.state == "send":
            s.timer = 0
            if i.collision:
                s.tries, s.state = s.tries + 1, "jam"
            elif i.sent:
                s.tries, s.done, s.state = 0, 1, "ready"
        elif s.state == "jam":
            s.timer += 1
            if s.timer == jam:
                s.timer = 0
                if s.tries == limit:
                    s.tries, s.abort, s.state = 0, 1, "ready"
                else:
                    s.slots, s.state = number & (1 << min(s.tries, cap)) - 1, "wait"
        elif s.slots == 0:
            s.state = "ready"
        elif s.timer == slot - 1:
            s.timer, s.slots = 0, s.slots - 1
        else:
            s.timer += 1
        return out

    where = ", ".join(str(k) for k in range(8) if taps >> k & 1)
    return Draft(
        rtl=f"""
module collision_backoff #(
  parameter int SLOT = {slot},
  parameter int JAM_TIME = {jam},
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic req, // there is a frame to send
  input logic carrier, // another one is sending
  input logic collision,
  input logic sent,
  output logic transmit,
  output logic jamming,
  output logic done,
  output logic abort
);
{f"  localparam int CAP = {cap};" if variant else ""}
  logic [7:0] random;
  logic [2:0] tries, timer;
  logic [3:0] slots, mask;

  // never stops, so that two stations do not stay in step
  always_ff @(posedge clk) begin
    if (rst) random <= 8'h01;
    else random <= {{random[6:0], ^(random & 8'h{taps:02x})}};
  end
  {body}
endmodule
""",
        about=f"""Access to a shared line, with binary exponential backoff. With `req` and without `carrier` it starts
            to `transmit`, until `sent` says that the frame is out (`done` is high for the cycle after) or there is a
            `collision`, which has precedence. Then `jamming` is high for {jam} cycles. After collision number
            {limit} of a frame `abort` is high for the cycle after, and the count starts anew; else a random number of
            slots of {slot} cycles each is waited, and one cycle more, before the line is looked at again. After
            collision n the number is the low min(n, {cap}) bits that the register `random` has in the last cycle of
            jamming. That register of 8 bits is 1 after reset and shifts left every cycle, with the parity of its bits
            {where} coming in at the right.""",
        model=Machine(reset, step),
        names=("csma_backoff", "backoff_timer", "medium_access", "csma_cd"),
        stimulus={"req": 0.8, "carrier": 0.2, "collision": 0.45, "sent": 0.25},
        cycles=320,
    )
