"""Messages in streams of bytes, found by bytes that mark where they begin and end."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def marker_framer(r: Random, variant: int) -> Draft:
    """Collects the bytes between a begin and an end marker, or so many after one marker."""
    begin = r.choice((0x02, 0x3A, 0x24, 0x7E, 0xA5))
    end = r.choice((0x03, 0x0D, 0x0A, 0x23))
    size = r.choice((2, 3, 4))
    restarts = r.random() < 0.5
    checks = r.random() < 0.6
    names = [f"BYTE_{k}" for k in range(size)]
    states = ["IDLE", *names, "LAST"]
    bits = (len(states) - 1).bit_length()
    top = size * 8 - 1
    again = "din == BEGIN" if restarts else ""
    arms = "\n".join(
        f"        {name}: "
        + (f"if ({again}) state_next = BYTE_0; else " if again else "")
        + f"state_next = {states[k + 2]};"
        for k, name in enumerate(names)
    )
    summed = """
  // the sum of the bytes of a message, the marker left out
  always_ff @(posedge clk) begin
    if (rst) total <= '0;
    else if (valid) total <= opens ? 8'd0 : total + din;
  end
"""
    shift = f"payload <= {{payload[{top - 8}:0], din}};"
    good = "din == END" + (" && total[0] == PARITY" if checks else "")
    restart_last = "(din == BEGIN) ? BYTE_0 : IDLE"
    two = f"""
  typedef enum logic [{bits - 1}:0] {{{", ".join(states)}}} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    if (valid) begin
      case (state)
        IDLE: if (din == BEGIN) state_next = BYTE_0;
{arms}
        LAST: state_next = {restart_last};
        default: state_next = IDLE;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) payload <= '0;
    else if (valid && state != IDLE && state != LAST{f" && !({again})" if again else ""}) {shift}
  end

  assign opens = (din == BEGIN) && (state == IDLE || state == LAST{" || 1'b1" if restarts else ""});
  assign closes = valid && (state == LAST);
"""
    counted = f"""
  logic [{bits - 1}:0] count; // 0 outside a message, else one more than the bytes that have come
  logic in_frame, filling;

  assign in_frame = (count != 0);
  assign filling = in_frame && (count <= {size});
  assign opens = (din == BEGIN){"" if restarts else " && !filling"};
  assign closes = valid && in_frame && !filling;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      payload <= '0;
    end else if (valid) begin
      if (opens) begin
        count <= {bits}'d1;
      end else if (filling) begin
        count <= count + 1'b1;
        {shift}
      end else begin
        count <= '0;
      end
    end
  end
"""
    hot = f"""
  logic [{size}:0] place; // one hot inside a message: which byte comes next, the end marker last

  assign opens = (din == BEGIN){"" if restarts else f" && (place[{size - 1}:0] == 0)"};
  assign closes = valid & place[{size}];

  always_ff @(posedge clk) begin
    if (rst)
      place <= '0;
    else if (valid)
      place <= opens ? {size + 1}'d1 : {{place[{size - 1}:0], 1'b0}};
  end

  always_ff @(posedge clk) begin
    if (rst)
      payload <= '0;
    else if (valid && !opens && (|place[{size - 1}:0]))
      {shift}
  end
"""
    body = (two.replace(" || 1'b1", ""), counted, hot)[variant]
    if restarts and variant == 0:
        body = body.replace("(din == BEGIN) && (state == IDLE || state == LAST)", "(din == BEGIN)")
    parity = r.getrandbits(1)

    def reset(s: State) -> None:
        s.place = -1
        s.payload = s.total = s.done = s.error = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"payload": s.payload, "done": s.done, "error": s.error}
        s.done = s.error = 0
        if not i.valid:
            return out
        if s.place == size:
            right = i.din == end and (not checks or s.total & 1 == parity)
            s.done, s.error = int(right), int(not right)
        if i.din == begin and (restarts or s.place in (-1, size)):
            s.place, s.total = 0, 0
        elif 0 <= s.place < size:
            s.payload = (s.payload << 8 | i.din) & ((1 << 8 * size) - 1)
            s.total += i.din
            s.place += 1
        else:
            s.place = -1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        kind = r.random()
        if s.place == -1:
            din = begin if kind < 0.6 else end if kind < 0.7 else r.getrandbits(8)
        elif s.place == size:
            din = end if kind < 0.75 else begin if kind < 0.87 else r.getrandbits(8)
        else:
            din = begin if kind < 0.08 else end if kind < 0.2 else r.getrandbits(8)
        return {"din": din}

    inside = (
        f"A byte 0x{begin:02x} among them begins a new message and belongs to none"
        if restarts
        else "Any byte may stand among them"
    )
    fine = f"it is the end marker 0x{end:02x}" + (
        f" and the sum of those {size} bytes is {'odd' if parity else 'even'}" if checks else ""
    )
    return Draft(
        rtl=f"""
module marker_framer (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [7:0] din,
  output logic [{top}:0] payload, // the first byte on top
  output logic done,
  output logic error
);
  localparam logic [7:0] BEGIN = 8'h{begin:02x};
  localparam logic [7:0] END = 8'h{end:02x};
  {f"localparam logic PARITY = 1'b{parity}; // of the sum of all bytes" if checks else ""}
  {"logic [7:0] total;" if checks else ""}
  logic opens, closes;
  {body}
  {summed if checks else ""}
  // one cycle for each message, whether it is good or not
  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      error <= 1'b0;
    end else begin
      done <= closes && ({good});
      error <= closes && !({good});
    end
  end
endmodule
""",
        about=f"""Finds messages in a stream of bytes, which come on `din` with `valid`. A message is the
            byte 0x{begin:02x}, then {size} bytes, then a closing byte. {inside}. The bytes shift into
            `payload`, the newest lowest, as they
            come. In the cycle after the closing byte, `done` is high for one cycle if {fine}, otherwise `error` is.
            A closing byte 0x{begin:02x} is an error that also begins the next message. Bytes outside messages are
            passed over. Everything starts at 0, outside a message.""",
        model=Machine(reset, step),
        names=("msg_framer", "byte_framer", "packet_parser", "frame_parser"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def escape_remover(r: Random, variant: int) -> Draft:
    """Takes the escapes out of a stream of framed bytes and marks the last byte of each frame."""
    flag, escape = r.choice(((0x7E, 0x7D), (0xC0, 0xDB), (0x10, 0x1B)))
    flip = r.choice((0x20, 0x20, 0x40, 0x80))
    counts = r.random() < 0.6
    abort = r.random() < 0.6
    machine = """
  typedef enum logic [1:0] {HUNT, DATA, ESCAPED} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    take = 1'b0;
    finish = 1'b0;
    drop = 1'b0;
    if (valid) begin
      case (state)
        HUNT: if (din == FLAG) state_next = DATA;
        DATA: begin
          if (din == FLAG) finish = 1'b1;
          else if (din == ESCAPE) state_next = ESCAPED;
          else take = 1'b1;
        end
        ESCAPED: begin
          if (din == FLAG) begin
            drop = 1'b1; // an escape before a flag gives the frame up
            state_next = DATA;
          end else begin
            take = 1'b1;
            state_next = DATA;
          end
        end
        default: state_next = HUNT;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) state <= HUNT;
    else state <= state_next;
  end

  assign turned = (state == ESCAPED);
"""
    flags = """
  logic in_sync, escaped, is_flag, is_escape;

  assign is_flag = valid && (din == FLAG);
  assign is_escape = valid && in_sync && !escaped && (din == ESCAPE);
  assign take = valid && in_sync && !is_flag && !is_escape;
  assign finish = is_flag && in_sync && !escaped;
  assign drop = is_flag && escaped; // an escape before a flag gives the frame up
  assign turned = escaped;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_sync <= 1'b0;
      escaped <= 1'b0;
    end else if (valid) begin
      if (is_flag) in_sync <= 1'b1; // from the first flag on
      escaped <= is_escape;
    end
  end
"""

    def reset(s: State) -> None:
        s.sync = s.escaped = s.dout = s.out = s.ended = s.aborted = s.count = 0

    def step(s: State, i: Pins) -> Outputs:
        out: dict[str, int | None] = {
            "dout": s.dout if s.out else None,
            "dout_valid": s.out,
            "frame_end": s.ended,
        }
        if abort:
            out["frame_abort"] = s.aborted
        if counts:
            out["count"] = s.count
        if s.ended or s.aborted:
            s.count = 0
        s.out = s.ended = s.aborted = 0
        if not i.valid:
            return out
        if i.din == flag:
            s.aborted = int(bool(s.escaped))
            s.ended = int(bool(s.sync and not s.escaped and s.count))
            s.sync, s.escaped = 1, 0
        elif s.sync:
            if i.din == escape and not s.escaped:
                s.escaped = 1
            else:
                s.out, s.dout = 1, i.din ^ (flip if s.escaped else 0)
                s.escaped = 0
                s.count = min(s.count + 1, 15)
        return out

    return Draft(
        rtl=f"""
module escape_remover (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [7:0] din,
  output logic [7:0] dout,
  output logic dout_valid,
  {"output logic frame_abort," if abort else ""}
  {"output logic [3:0] count, // bytes of the frame, up to 15" if counts else ""}
  output logic frame_end
);
  localparam logic [7:0] FLAG = 8'h{flag:02x};
  localparam logic [7:0] ESCAPE = 8'h{escape:02x};
  localparam logic [7:0] FLIP = 8'h{flip:02x}; // what an escaped byte was changed by
  logic take, finish, drop, turned;
  {"" if counts else "logic [3:0] count; // bytes of the frame, up to 15"}
  {"" if abort else "logic frame_abort;"}
  {(machine, flags)[variant]}
  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= '0;
      dout_valid <= 1'b0;
      frame_end <= 1'b0;
      frame_abort <= 1'b0;
    end else begin
      dout_valid <= take;
      if (take) dout <= turned ? din ^ FLIP : din;
      frame_end <= finish && (count != 0) && !(frame_end || frame_abort); // empty frames do not count
      frame_abort <= drop;
    end
  end

  // cleared in the cycle in which an end or an abort is shown
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (frame_end || frame_abort) count <= take ? 4'd1 : 4'd0;
    else if (take && count != 4'd15) count <= count + 4'd1;
  end
endmodule
""",
        about=f"""Removes the escapes from a stream of bytes framed by 0x{
            flag:02x}. Bytes come on `din` with `valid`. All
            before the first 0x{flag:02x} are passed over. After it, each byte comes out on `dout` with `dout_valid` in
            the next cycle, but for 0x{flag:02x}, which ends a frame, and 0x{escape:02x}, which escapes the byte behind
            it: that one comes out with an exclusive or of 0x{flip:02x}. `frame_end` is high for one cycle after a
            0x{flag:02x} that ends a frame of at least one byte; between frames one such byte is enough. An escape right
            before 0x{flag:02x} gives the frame up{
            ": `frame_abort` is high instead" if abort else ", without `frame_end`"
        }. {
            "`count` is the number of bytes of the frame so far, at most 15; it is the whole frame's with `frame_end`"
            if counts
            else ""
        }{" or `frame_abort`" if counts and abort else ""}{" and starts anew after it." if counts else ""}""",
        model=Machine(reset, step),
        names=("unstuffer", "byte_unstuff", "hdlc_unescape"),
        stimulus={
            "valid": 0.85,
            "din": lambda r: r.choice(
                (flag, escape, escape ^ flip, flag ^ flip, *(r.getrandbits(8) for _ in range(5)))
            ),
        },
        cycles=300,
    )
