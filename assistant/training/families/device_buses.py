"""Buses of a few wires between chips on a board, bit by bit."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def i2c_bit_engine(r: Random, variant: int) -> Draft:
    """Makes starts, stops and bits on two wires that everybody may pull down."""
    order = r.sample(("START", "STOP", "WRITE", "READ"), 4)
    codes = {name: k for k, name in enumerate(order)}
    loses = r.random() < 0.6
    places = "\n".join(f"  localparam logic [1:0] {name} = 2'd{k};" for k, name in enumerate(order))
    lose_check = """
          if (op == WRITE && tx_held && !sda_in) begin
            // somebody else pulls: let go of everything
            busy <= 1'b0;
            lost <= 1'b1;
            scl_low <= 1'b0;
            sda_low <= 1'b0;
          end else begin
            phase <= 2'd3;
          end"""
    phases = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      phase <= 2'd0;
      op <= 2'd0;
      tx_held <= 1'b1;
      scl_low <= 1'b0;
      sda_low <= 1'b0;
      rx_bit <= 1'b0;
      done <= 1'b0;
{"      lost <= 1'b0;" if loses else ""}
    end else begin
      done <= 1'b0;
{"      lost <= 1'b0;" if loses else ""}
      if (!busy) begin
        if (go) begin
          busy <= 1'b1;
          phase <= 2'd0;
          op <= command;
          tx_held <= tx_bit;
        end
      end else if (tick) begin
        case (phase)
          2'd0: begin
            phase <= 2'd1;
            // data changes while the clock is low; a start only lets go of the data wire
            if (op != START) scl_low <= 1'b1;
            sda_low <= (op == STOP) || (op == WRITE && !tx_held);
          end
          2'd1: begin
            phase <= 2'd2;
            scl_low <= 1'b0;
          end
          2'd2: if (scl_in) begin // a slow device may hold the clock
            if (op == START) sda_low <= 1'b1;
            if (op == STOP) sda_low <= 1'b0;
            if (op == READ) rx_bit <= sda_in;{lose_check if loses else "            phase <= 2'd3;"}
          end
          2'd3: begin
            if (op != STOP) scl_low <= 1'b1;
            busy <= 1'b0;
            done <= 1'b1;
          end
        endcase
      end
    end
  end
"""
    equations = f"""
  logic move, finish;
{"  logic beaten;" if loses else ""}

  // the third step waits for a device that still holds the clock
  assign move = busy && tick && !(phase == 2 && !scl_in);
  assign finish = move && (phase == 3);
{"  assign beaten = move && (phase == 2) && (op == WRITE) && tx_held && !sda_in;" if loses else ""}

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      phase <= '0;
    end else if (!busy) begin
      busy <= go;
      phase <= '0;
    end else if (move) begin
      busy <= !finish{" && !beaten" if loses else ""};
      phase <= phase + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      op <= '0;
      tx_held <= 1'b1;
    end else if (go && !busy) begin
      op <= command;
      tx_held <= tx_bit;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
{"      lost <= 1'b0;" if loses else ""}
    end else begin
      done <= finish;
{"      lost <= beaten;" if loses else ""}
    end
  end

  // clock wire: low, high, high, low, but a start begins as it is and a stop ends high
  always_ff @(posedge clk) begin
    if (rst) scl_low <= 1'b0;
    else if (move) begin
      if (phase == 1{" || beaten" if loses else ""}) scl_low <= 1'b0;
      else if (phase == 0 && op != START) scl_low <= 1'b1;
      else if (phase == 3 && op != STOP) scl_low <= 1'b1;
    end
  end

  // data wire: falls or rises while the clock is high only for a start or a stop
  always_ff @(posedge clk) begin
    if (rst) sda_low <= 1'b0;
    else if (move && phase == 0) sda_low <= (op == STOP) | ((op == WRITE) & ~tx_held);
    else if (move && phase == 2) begin
      if (op == START) sda_low <= 1'b1;
      else if (op == STOP) sda_low <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) rx_bit <= 1'b0;
    else if (move && phase == 2 && op == READ) rx_bit <= sda_in;
  end
"""
    table = f"""
  logic scl_next, sda_next; // levels on the wires that the step asks for

  always_comb begin
    scl_next = !scl_low;
    sda_next = !sda_low;
    case ({{op, phase}})
      {{START, 2'd0}}: sda_next = 1'b1;
      {{START, 2'd1}}: scl_next = 1'b1;
      {{START, 2'd2}}: sda_next = 1'b0;
      {{START, 2'd3}}: scl_next = 1'b0;
      {{STOP, 2'd0}}: {{scl_next, sda_next}} = 2'b00;
      {{STOP, 2'd1}}: scl_next = 1'b1;
      {{STOP, 2'd2}}: sda_next = 1'b1;
      {{WRITE, 2'd0}}: {{scl_next, sda_next}} = {{1'b0, tx_held}};
      {{READ, 2'd0}}: {{scl_next, sda_next}} = 2'b01;
      {{WRITE, 2'd1}}, {{READ, 2'd1}}: scl_next = 1'b1;
      {{WRITE, 2'd3}}, {{READ, 2'd3}}: scl_next = 1'b0;
      default: ; // nothing changes
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      phase <= 2'd0;
      op <= 2'd0;
      tx_held <= 1'b1;
      scl_low <= 1'b0;
      sda_low <= 1'b0;
      rx_bit <= 1'b0;
      done <= 1'b0;
{"      lost <= 1'b0;" if loses else ""}
    end else begin
      done <= 1'b0;
{"      lost <= 1'b0;" if loses else ""}
      if (go && !busy) begin
        {{busy, op, tx_held}} <= {{1'b1, command, tx_bit}};
        phase <= 2'd0;
      end
      // a device that is not ready keeps the clock low and stops the third step
      if (busy && tick && (phase != 2'd2 || scl_in)) begin
        scl_low <= !scl_next;
        sda_low <= !sda_next;
        phase <= phase + 2'd1;
        if (phase == 2'd3) begin
          busy <= 1'b0;
          done <= 1'b1;
        end
        if (phase == 2'd2 && op == READ) rx_bit <= sda_in;
{
        '''
        if (phase == 2'd2 && op == WRITE && tx_held && !sda_in) begin
          // arbitration is lost
          {scl_low, sda_low} <= 2'b00;
          busy <= 1'b0;
          lost <= 1'b1;
        end
'''
        if loses
        else ""
    }      end
    end
  end
"""
    body = (phases, equations, table)[variant]
    pattern: dict[str, tuple[tuple[int | None, int | None], ...]] = {
        "START": ((None, 1), (1, None), (None, 0), (0, None)),
        "STOP": ((0, 0), (1, None), (None, 1), (None, None)),
        "READ": ((0, 1), (1, None), (None, None), (0, None)),
    }

    def reset(s: State) -> None:
        s.busy = s.phase = s.op = s.done = s.lost = s.rx = 0
        s.tx = s.scl = s.sda = 1

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": s.busy, "done": s.done, "rx_bit": s.rx, "scl_low": 1 - s.scl, "sda_low": 1 - s.sda}
        if loses:
            out["lost"] = s.lost
        s.done = s.lost = 0
        if not s.busy:
            if i.go:
                s.busy, s.phase, s.op, s.tx = 1, 0, i.command, i.tx_bit
            return out
        if not i.tick or (s.phase == 2 and not i.scl_in):
            return out
        name = order[s.op]
        steps = ((0, s.tx), *pattern["READ"][1:]) if name == "WRITE" else pattern[name]
        scl, sda = steps[s.phase]
        s.scl = s.scl if scl is None else scl
        s.sda = s.sda if sda is None else sda
        if s.phase == 2:
            if name == "READ":
                s.rx = i.sda_in
            if loses and name == "WRITE" and s.tx and not i.sda_in:
                s.scl = s.sda = s.lost = 1
                s.busy = 0
        if s.phase == 3:
            s.busy, s.done = 0, 1
        s.phase += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        return {"scl_in": int(s.scl and r.random() < 0.8), "sda_in": int(s.sda and r.random() < 0.75)}

    listing = ", ".join(f"{codes[name]} {name.lower()}" for name in order)
    arbitration = (
        " Where a 1 is written and `sda_in` is 0 then, another master is stronger: both wires are let go, `lost` is"
        " high for the next cycle and the command ends there, without `done`."
        if loses
        else ""
    )
    return Draft(
        rtl=f"""
module i2c_bit_engine (
  input logic clk,
  input logic rst,
  input logic tick, // four of them make a bit
  input logic go,
  input logic [1:0] command,
  input logic tx_bit,
  output logic busy,
  output logic done,
  output logic rx_bit,
{"  output logic lost," if loses else ""}
  input logic scl_in,
  input logic sda_in,
  output logic scl_low, // high: the clock wire is pulled down
  output logic sda_low
);
{places}
  logic [1:0] op, phase;
  logic tx_held;
  {body}
endmodule
""",
        about=f"""The lowest layer of an I2C master. While not `busy`, `go` takes a `command` ({listing}) and `tx_bit`.
            It is carried out in four steps, one for each `tick` that comes while `busy`: what a step asks for shows on
            the registers `scl_low` and `sda_low` (high pulls the wire down) from the next cycle on. Start: let go of
            the data wire; let go of the clock; pull data; pull clock. Stop: pull both; let go of the clock; let go of
            data; nothing. Write and read: pull the clock and put `tx_bit` on the data wire, or let go of it to read;
            let go of the clock; nothing; pull the clock. The third step waits for a tick with `scl_in` high, for
            devices that stretch the clock; a read samples `sda_in` into `rx_bit` with it.{arbitration} With the fourth
            step `busy` falls and `done` is high for a cycle. Both wires are let go at reset.""",
        model=Machine(reset, step),
        names=("i2c_bit_ctrl", "i2c_phy", "i2c_bit_master", "twi_bit_engine"),
        stimulus={"tick": 0.75, "go": 0.7},
        drive=drive,
        cycles=300,
    )


@family(variants=2)
def i2c_target(r: Random, variant: int) -> Draft:
    """Answers to its address on a two-wire bus, and takes the bytes that follow."""
    address = r.choice((0x2C, 0x50, 0x1D, 0x68, 0x3A))
    general = r.random() < 0.5
    to_all = " || shift[7:1] == 7'd0" if general else ""
    machine = """
  typedef enum logic [2:0] {IGNORE, ADDR, ADDR_ACK, DATA, DATA_ACK} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IGNORE;
      count <= 4'd0;
      shift <= 8'h00;
      sda_low <= 1'b0;
      valid <= 1'b0;
    end else begin
      valid <= 1'b0;
      if (started) begin
        // also in the middle of anything else
        state <= ADDR;
        count <= 4'd0;
        sda_low <= 1'b0;
      end else if (stopped) begin
        state <= IGNORE;
        sda_low <= 1'b0;
      end else begin
        case (state)
          ADDR: begin
            if (scl_rose) begin
              shift <= {shift[6:0], sda};
              count <= count + 4'd1;
            end else if (scl_fell && count == 4'd8) begin
              if (for_us) begin
                state <= ADDR_ACK;
                sda_low <= 1'b1;
              end else begin
                state <= IGNORE;
              end
            end
          end
          DATA: begin
            if (scl_rose) begin
              shift <= {shift[6:0], sda};
              count <= count + 4'd1;
            end else if (scl_fell && count == 4'd8) begin
              state <= DATA_ACK;
              valid <= 1'b1;
              sda_low <= 1'b1;
            end
          end
          ADDR_ACK, DATA_ACK: begin
            // the ninth clock is over
            if (scl_fell) begin
              state <= DATA;
              count <= 4'd0;
              sda_low <= 1'b0;
            end
          end
          default: sda_low <= 1'b0;
        endcase
      end
    end
  end

  assign selected = (state == ADDR_ACK) || (state == DATA) || (state == DATA_ACK);
"""
    counted = """
  logic active, chosen; // between start and stop; the address was ours
  logic byte_end, ack_end, take;

  assign byte_end = scl_fell && (count == 4'd8) && active;
  assign ack_end = scl_fell && (count == 4'd9) && active;
  assign take = byte_end && (chosen || for_us);
  assign selected = chosen;

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      chosen <= 1'b0;
    end else if (started) begin
      active <= 1'b1;
      chosen <= 1'b0;
    end else if (stopped) begin
      active <= 1'b0;
      chosen <= 1'b0;
    end else if (byte_end && !chosen) begin
      active <= for_us; // the others sleep until the next start
      chosen <= for_us;
    end
  end

  // eight bits and the ninth clock
  always_ff @(posedge clk) begin
    if (rst) count <= 4'd0;
    else if (started || ack_end) count <= 4'd0;
    else if (scl_rose && active) count <= count + 4'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) shift <= 8'h00;
    else if (scl_rose && active && !started && count < 4'd8) shift <= {shift[6:0], sda};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      sda_low <= 1'b0;
      valid <= 1'b0;
    end else begin
      valid <= take && chosen && !started && !stopped;
      if (started || stopped || ack_end) sda_low <= 1'b0;
      else if (take) sda_low <= 1'b1;
    end
  end
"""
    body = (machine, counted)[variant]

    def reset(s: State) -> None:
        s.scl_prev = s.sda_prev = 1
        s.mode, s.count, s.shift, s.low, s.valid = "ignore", 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "selected": int(s.mode in ("addr_ack", "data", "data_ack")),
            "valid": s.valid,
            "data": s.shift if s.valid else None,
            "sda_low": s.low,
        }
        rose, fell = i.scl and not s.scl_prev, s.scl_prev and not i.scl
        steady = i.scl and s.scl_prev
        s.valid = 0
        if steady and s.sda_prev and not i.sda:
            s.mode, s.count, s.low = "addr", 0, 0
        elif steady and i.sda and not s.sda_prev:
            s.mode, s.low = "ignore", 0
        elif s.mode in ("addr", "data"):
            if rose:
                s.shift, s.count = (s.shift << 1 | i.sda) & 255, s.count + 1
            elif fell and s.count == 8:
                if s.mode == "data":
                    s.mode, s.low, s.valid = "data_ack", 1, 1
                elif s.shift == address << 1 or (general and s.shift == 0):
                    s.mode, s.low = "addr_ack", 1
                else:
                    s.mode = "ignore"
        elif s.mode in ("addr_ack", "data_ack") and fell:
            s.mode, s.count, s.low = "data", 0, 0
        s.scl_prev, s.sda_prev = i.scl, i.sda
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not getattr(s, "wires", None):
            first = r.choice((address, address, address, address ^ 4, 0, 0x7F)) << 1 | (r.random() < 0.15)
            wires = [(1, 1), (1, 0), (0, 0)]
            for byte in (first, *(r.getrandbits(8) for _ in range(r.randrange(3)))):
                sent = r.choice((9, 9, 9, 9, 4))
                for bit in [*(byte >> k & 1 for k in range(7, -1, -1)), 1][:sent]:
                    wires += [(0, bit), (1, bit), *([(1, bit)] if r.random() < 0.2 else []), (0, bit)]
            if r.random() < 0.7:
                wires += [(0, 0), (1, 0), (1, 1), (1, 1)]
            else:
                wires += [(0, 1), (1, 1)]  # no stop: another start follows
            s.wires = wires
        scl, sda = s.wires.pop(0)
        return {"scl": scl, "sda": sda}

    return Draft(
        rtl=f"""
module i2c_target #(
  parameter logic [6:0] ADDRESS = 7'h{address:02x}
) (
  input logic clk,
  input logic rst,
  input logic scl,
  input logic sda,
  output logic sda_low,
  output logic selected,
  output logic valid,
  output logic [7:0] data
);
  logic scl_prev, sda_prev;
  logic scl_rose, scl_fell, started, stopped, for_us;
  logic [3:0] count;
  logic [7:0] shift;

  always_ff @(posedge clk) begin
    if (rst) begin
      scl_prev <= 1'b1;
      sda_prev <= 1'b1;
    end else begin
      scl_prev <= scl;
      sda_prev <= sda;
    end
  end

  assign scl_rose = scl && !scl_prev;
  assign scl_fell = !scl && scl_prev;
  // data moves under a high clock only for these two
  assign started = scl && scl_prev && sda_prev && !sda;
  assign stopped = scl && scl_prev && !sda_prev && sda;
  assign for_us = (shift[7:1] == ADDRESS{to_all}) && !shift[0]; // writing only
  assign data = shift;
  {body}
endmodule
""",
        about=f"""An I2C device that can be written, at address {address:02x} (hexadecimal){
            " and at the general call address 0" if general else ""
        }. `scl` and `sda` are the levels of the wires, already synchronised, and each is compared with its level in the
            cycle before (1 at reset). `sda` falling while `scl` stays high is a start, rising a stop; either has
            precedence over everything else and lets go of the data wire. Bits are taken as `scl` rises, the highest
            first. As `scl` falls after the eighth bit behind a start, a byte that is the address and a write bit of 0
            is acknowledged: `sda_low` is high from the next cycle until the cycle in which `scl` falls again. Each
            further byte is acknowledged in the same way, with `data` and one cycle of `valid` as `sda_low` goes high.
            Any other first byte is ignored until the next start. `selected` is high from the acknowledgement of the
            address to the next start or stop.""",
        model=Machine(reset, step),
        names=("i2c_slave", "i2c_device", "i2c_receiver", "twi_target"),
        drive=drive,
        cycles=400,
    )


@family(variants=3)
def one_wire_reset(r: Random, variant: int) -> Draft:
    """Pulls the wire long enough, lets go, and listens whether anybody is there."""
    low, gap, window, rest = r.choice(((8, 2, 4, 6), (10, 3, 3, 8), (6, 1, 5, 5), (12, 2, 2, 4)))
    watched = r.random() < 0.5  # low at any time in the window, or at its end
    see = "present | !wire_in" if watched else "!wire_in"
    single = f"""
  typedef enum logic [2:0] {{IDLE, PULL, GAP, LISTEN, REST}} state_t;
  state_t state;

  assign busy = (state != IDLE);
  assign wire_low = (state == PULL);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= '0;
      present <= 1'b0;
      done <= 1'b0;
      shorted <= 1'b0;
    end else begin
      done <= 1'b0;
      if (state == IDLE) begin
        timer <= '0;
        if (start) begin
          state <= PULL;
          present <= 1'b0;
        end
      end else if (tick) begin
        timer <= timer + 1'b1;
        case (state)
          PULL: if (timer == LOW_TIME - 1) begin
            state <= GAP;
            timer <= '0;
          end
          GAP: if (timer == GAP_TIME - 1) begin
            state <= LISTEN;
            timer <= '0;
          end
          LISTEN: begin
            {"if (!wire_in) present <= 1'b1;" if watched else ""}
            if (timer == WINDOW - 1) begin
              state <= REST;
              timer <= '0;
              {"" if watched else "present <= !wire_in;"}
            end
          end
          default: if (timer == REST_TIME - 1) begin
            state <= IDLE;
            done <= 1'b1;
            shorted <= !wire_in; // nobody may pull any more
          end
        endcase
      end
    end
  end
"""
    marks = f"""
  // one count for the whole sequence; the marks tell where it stands
  localparam int LET_GO = LOW_TIME;
  localparam int OPEN = LET_GO + GAP_TIME;
  localparam int SHUT = OPEN + WINDOW;
  localparam int FINISH = SHUT + REST_TIME;
  logic last;

  assign wire_low = busy && (timer < LET_GO);
  assign last = busy && tick && (timer == FINISH - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      timer <= '0;
    end else if (!busy) begin
      busy <= start;
      timer <= '0;
    end else if (tick) begin
      busy <= !last;
      timer <= timer + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) present <= 1'b0;
    else if (start && !busy) present <= 1'b0;
    else if (busy && tick && {"timer >= OPEN && timer < SHUT" if watched else "timer == SHUT - 1"}) present <= {see};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      shorted <= 1'b0;
    end else begin
      done <= last;
      if (last) shorted <= !wire_in;
    end
  end
"""
    planned = f"""
  typedef enum logic [2:0] {{IDLE, PULL, GAP, LISTEN, REST}} state_t;
  state_t state, state_next;
  logic [5:0] timer_next;
  logic over;

  // ticks that are left of the state, less one
  assign over = tick && (timer == 0);

  always_comb begin
    state_next = state;
    timer_next = tick ? timer - 1'b1 : timer;
    case (state)
      IDLE: begin
        timer_next = LOW_TIME - 1;
        if (start) state_next = PULL;
      end
      PULL: if (over) begin
        state_next = GAP;
        timer_next = GAP_TIME - 1;
      end
      GAP: if (over) begin
        state_next = LISTEN;
        timer_next = WINDOW - 1;
      end
      LISTEN: if (over) begin
        state_next = REST;
        timer_next = REST_TIME - 1;
      end
      REST: if (over) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      timer <= LOW_TIME - 1;
    end else begin
      state <= state_next;
      timer <= timer_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      present <= 1'b0;
      done <= 1'b0;
      shorted <= 1'b0;
    end else begin
      done <= (state == REST) && over;
      if ((state == REST) && over) shorted <= ~wire_in;
      if (state == IDLE && start) present <= 1'b0;
      else if (state == LISTEN && {"tick" if watched else "over"}) present <= {see};
    end
  end

  assign wire_low = (state == PULL);
  assign busy = (state != IDLE);
"""
    body = (single, marks, planned)[variant]
    total = low + gap + window + rest

    def reset(s: State) -> None:
        s.at, s.present, s.done, s.shorted = None, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "busy": int(s.at is not None),
            "wire_low": int(s.at is not None and s.at < low),
            "done": s.done,
            "present": s.present,
            "shorted": s.shorted,
        }
        s.done = 0
        if s.at is None:
            if i.start:
                s.at, s.present = 0, 0
        elif i.tick:
            opened, shut = low + gap, low + gap + window
            if watched and opened <= s.at < shut:
                s.present |= 1 - i.wire_in
            elif s.at == shut - 1:
                s.present = 1 - i.wire_in
            s.at += 1
            if s.at == total:
                s.at, s.done, s.shorted = None, 1, 1 - i.wire_in
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.at is None or r.random() < 0.02:
            s.device = r.choice((0, 0.5, 0.9, 0.1))
        inside = s.at is not None and low + gap <= s.at < low + gap + window
        pulled = r.random() < (s.device * 0.6 if inside else 0.3)
        return {"wire_in": int(not pulled)}

    when = (
        "if the wire is low at any tick of the window"
        if watched
        else "if the wire is low at the last tick of the window, and 0 if not"
    )
    return Draft(
        rtl=f"""
module one_wire_reset #(
  parameter int LOW_TIME = {low},
  parameter int GAP_TIME = {gap},
  parameter int WINDOW = {window},
  parameter int REST_TIME = {rest}
) (
  input logic clk,
  input logic rst,
  input logic tick, // the unit of all times
  input logic start,
  input logic wire_in,
  output logic wire_low, // high: the wire is pulled down
  output logic busy,
  output logic done,
  output logic present,
  output logic shorted
);
  logic [5:0] timer;
  {body}
endmodule
""",
        about=f"""The reset of a one-wire bus, and the search for a presence pulse. `start` while not `busy` begins;
            then each `tick` is a unit of time: the wire is pulled down (`wire_low`) for {low} ticks, let go for {gap},
            then listened to in a window of {window}, and left alone for {rest} more. `present`, which `start` clears,
            is set {when}. At the last tick of all `busy` ends, `done` is high for a cycle, and `shorted` says from
            then on whether the wire was still low at that tick. The tick in the cycle of `start` does not count.""",
        model=Machine(reset, step),
        names=("onewire_reset", "presence_detector", "ow_reset", "one_wire_init"),
        stimulus={"tick": 0.8, "start": 0.4},
        drive=drive,
        cycles=280,
    )


@family(variants=2)
def mdio_master(r: Random, variant: int) -> Draft:
    """Reads and writes the registers of a network chip over two wires."""
    preamble = r.choice((2, 4, 8))
    checked = r.random() < 0.6
    total = preamble + 32
    st = r.choice(("01", "01", "00"))  # the old kind of frame and the new one
    shifted = f"""
  logic [{total - 1}:0] shift;

  assign mdio_out = shift[{total - 1}];

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '1;
      count <= 6'd0;
      busy <= 1'b0;
      mdc <= 1'b0;
      mdio_oe <= 1'b0;
      is_read <= 1'b0;
      rdata <= '0;
      done <= 1'b0;
{"      error <= 1'b0;" if checked else ""}
    end else begin
      done <= 1'b0;
      if (!busy) begin
        if (start) begin
          busy <= 1'b1;
          mdio_oe <= 1'b1;
          count <= 6'd0;
          is_read <= !write;
          shift <= {{{{{preamble}{{1'b1}}}}, 2'b{st}, !write, write, phy, index, 2'b10, wdata}};
        end
      end else if (!mdc) begin
        mdc <= 1'b1; // the other side changes or samples now
        if (is_read && count >= DATA_AT) rdata <= {{rdata[14:0], mdio_in}};
{"        if (is_read && count == DATA_AT - 1) error <= mdio_in; // nobody pulled the line down" if checked else ""}
      end else begin
        mdc <= 1'b0;
        shift <= {{shift[{total - 2}:0], 1'b1}};
        count <= count + 6'd1;
        if (is_read && count == DATA_AT - 3) mdio_oe <= 1'b0; // the line turns around
        if (count == TOTAL - 1) begin
          busy <= 1'b0;
          mdio_oe <= 1'b0;
          done <= 1'b1;
{"          if (!is_read) error <= 1'b0;" if checked else ""}
        end
      end
    end
  end
"""
    stages = f"""
  typedef enum logic [2:0] {{IDLE, PREAMBLE, HEADER, TURN, DATA}} state_t;
  state_t state;
  logic [15:0] shift; // header, then data
  logic [15:0] data_held;
  logic rise, fall, part_over;

  assign busy = (state != IDLE);
  assign rise = busy && !mdc;
  assign fall = busy && mdc;
  // a write is driven to its end, a read up to its turnaround
  assign mdio_oe = busy && !(is_read && (state == TURN || state == DATA));

  always_comb begin
    case (state)
      PREAMBLE: part_over = (count == {preamble - 1});
      HEADER: part_over = (count == 13);
      TURN: part_over = (count == 1);
      default: part_over = (count == 15);
    endcase
  end

  always_comb begin
    mdio_out = 1'b1;
    if (state == HEADER || state == DATA) mdio_out = shift[15];
    else if (state == TURN) mdio_out = (count == 0);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      count <= '0;
      mdc <= 1'b0;
      done <= 1'b0;
    end else begin
      done <= 1'b0;
      mdc <= rise;
      if (state == IDLE) begin
        count <= '0;
        if (start) state <= PREAMBLE;
      end else if (fall) begin
        count <= part_over ? 6'd0 : count + 6'd1;
        if (part_over) begin
          case (state)
            PREAMBLE: state <= HEADER;
            HEADER: state <= TURN;
            TURN: state <= DATA;
            default: begin
              state <= IDLE;
              done <= 1'b1;
            end
          endcase
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      data_held <= '0;
      is_read <= 1'b0;
    end else if (start && !busy) begin
      is_read <= !write;
      shift <= {{2'b{st}, !write, write, phy, index, 2'b00}};
      data_held <= wdata;
    end else if (fall) begin
      if (state == TURN) shift <= data_held;
      else if (state != PREAMBLE) shift <= shift << 1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) rdata <= '0;
    else if (rise && is_read && state == DATA) rdata <= {{rdata[14:0], mdio_in}};
  end
{
        '''
  // the device has to pull the line down before its data
  always_ff @(posedge clk) begin
    if (rst) error <= 1'b0;
    else if (rise && is_read && state == TURN && count == 1) error <= mdio_in;
    else if (fall && !is_read && state == DATA && part_over) error <= 1'b0;
  end
'''
        if checked
        else ""
    }
"""
    body = (shifted, stages)[variant]
    constants = (
        f"  localparam int TOTAL = {total}; // bits of a frame\n  localparam int DATA_AT = {total - 16};\n"
        if variant == 0
        else ""
    )
    code = [int(one) for one in st]

    def reset(s: State) -> None:
        s.bits, s.mdc, s.read, s.rdata, s.done, s.error = [], 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        busy = bool(s.bits)
        left = len(s.bits)
        drives = busy and not (s.read and left <= 18)
        out = {
            "busy": int(busy),
            "done": s.done,
            "mdc": s.mdc,
            "mdio_oe": int(drives),
            "mdio_out": s.bits[0] if drives else None,
            "rdata": s.rdata if s.done and s.read else None,
        }
        if checked:
            out["error"] = s.error if s.done else None
        s.done = 0
        if not busy:
            if i.start:
                s.read = 1 - i.write
                fields = ((i.phy, 5), (i.index, 5), (2, 2), (i.wdata, 16))
                rest = [value >> k & 1 for value, size in fields for k in range(size - 1, -1, -1)]
                s.bits = [1] * preamble + code + [s.read, i.write] + rest
        elif not s.mdc:
            s.mdc = 1
            if s.read and left == 17:
                s.error = i.mdio_in
            if s.read and left <= 16:
                s.rdata = (s.rdata << 1 | i.mdio_in) & 0xFFFF
        else:
            s.mdc = 0
            s.bits = s.bits[1:]
            if not s.bits:
                s.done = 1
                if not s.read:
                    s.error = 0
        return out

    fault = (
        " With `done` `error` says whether the second turnaround bit of a read was sampled as 1, which means that no"
        " device answered; it is 0 for a write."
        if checked
        else ""
    )
    return Draft(
        rtl=f"""
module mdio_master (
  input logic clk,
  input logic rst,
  input logic start,
  input logic write,
  input logic [4:0] phy,
  input logic [4:0] index,
  input logic [15:0] wdata,
  output logic [15:0] rdata,
  output logic busy,
  output logic done,
{"  output logic error," if checked else ""}
  output logic mdc,
  output logic mdio_out,
  output logic mdio_oe,
  input logic mdio_in
);
{constants}  logic [5:0] count;
  logic is_read;
  {body}
endmodule
""",
        about=f"""Master of a management bus (MDIO) for the registers of network chips. `start` while not `busy` takes
            the direction, `phy`, the register's `index` and `wdata`, and a frame begins in the next cycle: {preamble}
            ones, the start code {st}, 10 for a read or 01 for a write, `phy`, `index`, two turnaround bits, 16 bits of
            data; all with the highest bit first. Each bit takes two cycles: `mdc` low, then high. A write drives
            `mdio_out`, with `mdio_oe`, throughout, with turnaround bits 10; a read only up to `index`. A read samples
            `mdio_in` at the end of the cycles with low `mdc`. After the last bit `done` is high for a cycle in which
            `busy` is low, and `rdata` holds what was read.{fault} `mdio_out` means nothing without `mdio_oe`, and
            `rdata` only counts with `done`.""",
        model=Machine(reset, step),
        names=("mdio_ctrl", "smi_master", "phy_management", "mdio_interface"),
        stimulus={"start": 0.5},
        cycles=360,
    )


@family(variants=2)
def spi_register_port(r: Random, variant: int) -> Draft:
    """Lets an SPI master read and write registers."""
    width, abits = r.choice((4, 6, 8)), r.choice((2, 3))
    head = 1 + abits
    total = head + width
    write_bit = r.getrandbits(1)
    counted = f"""
  logic is_write;
  logic [WIDTH-1:0] reply;

  assign miso = reply[WIDTH-1];

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      shift <= '0;
      reply <= '0;
      addr <= '0;
      is_write <= 1'b0;
      wr <= 1'b0;
      wdata <= '0;
    end else begin
      wr <= 1'b0;
      if (cs_n) begin
        count <= '0; // what was begun is forgotten
      end else if (rose && count != TOTAL) begin
        count <= count + 1'b1;
        shift <= word;
        if (count == HEAD - 1) begin
          is_write <= (word[{abits}] == 1'b{write_bit});
          addr <= word[{abits - 1}:0];
        end else if (count == TOTAL - 1 && is_write) begin
          wr <= 1'b1;
          wdata <= word[WIDTH-1:0];
        end
      end else if (fell) begin
        // the answer is loaded when the head is complete, and moves on with every later bit
        if (count == HEAD) reply <= rdata;
        else reply <= {{reply[WIDTH-2:0], 1'b0}};
      end
    end
  end
"""
    # the output has a register of its own
    separate = f"""
  logic [WIDTH-1:0] tx_shift;
  logic head_over, frame_over, is_write;

  assign head_over = rose && (count == HEAD - 1);
  assign frame_over = rose && (count == TOTAL - 1);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (cs_n) count <= '0;
    else if (rose && count < TOTAL) count <= count + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) shift <= '0;
    else if (rose && !cs_n) shift <= word;
  end

  // direction and address
  always_ff @(posedge clk) begin
    if (rst) begin
      is_write <= 1'b0;
      addr <= '0;
    end else if (head_over && !cs_n) begin
      is_write <= {"" if write_bit else "!"}word[{abits}];
      addr <= word[{abits - 1}:0];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr <= 1'b0;
      wdata <= '0;
    end else begin
      wr <= frame_over && is_write && !cs_n;
      if (frame_over && is_write && !cs_n) wdata <= word[WIDTH-1:0];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) tx_shift <= '0;
    else if (fell && !cs_n) tx_shift <= (count == HEAD) ? rdata : tx_shift << 1;
  end

  assign miso = tx_shift[WIDTH-1];
"""
    body = (counted, separate)[variant]
    size = max(width, head)

    def reset(s: State) -> None:
        s.prev = s.count = s.shift = s.addr = s.write = s.wr = s.wdata = s.reply = 0

    def step(s: State, i: Pins) -> Outputs:
        replying = not i.cs_n and s.count >= head and not s.write
        out = {
            "addr": s.addr,
            "wr": s.wr,
            "wdata": s.wdata if s.wr else None,
            "miso": s.reply >> (width - 1) if replying and s.count < total else None,
        }
        rose, fell = i.sclk and not s.prev, s.prev and not i.sclk
        s.prev, s.wr = i.sclk, 0
        if i.cs_n:
            s.count = 0
        elif rose and s.count < total:
            s.shift = (s.shift << 1 | i.mosi) & (1 << size) - 1
            s.count += 1
            if s.count == head:
                s.write = int(s.shift >> abits & 1 == write_bit)
                s.addr = s.shift & (1 << abits) - 1
            if s.count == total and s.write:
                s.wr, s.wdata = 1, s.shift & (1 << width) - 1
        elif fell:
            s.reply = i.rdata if s.count == head else s.reply << 1 & (1 << width) - 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not getattr(s, "wires", None):
            bits = r.choice((total, total, total, total + 1, total - 1, 2))
            s.wires = [(1, 0)] * r.randrange(1, 3)
            for _ in range(bits):
                s.wires += [(0, 0)] * r.randrange(1, 3) + [(0, 1)] * r.randrange(1, 3)
            s.wires.append((0, 0))
        cs_n, sclk = s.wires.pop(0)
        return {"cs_n": cs_n, "sclk": sclk}

    return Draft(
        rtl=f"""
module spi_register_port #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic cs_n,
  input logic sclk,
  input logic mosi,
  output logic miso,
  output logic [{abits - 1}:0] addr,
  output logic wr,
  output logic [WIDTH-1:0] wdata,
  input logic [WIDTH-1:0] rdata // of the register at `addr`
);
  localparam int HEAD = {head}; // direction and address
  localparam int TOTAL = HEAD + WIDTH;
  logic [{size - 1}:0] shift, word;
  logic [3:0] count;
  logic sclk_prev, rose, fell;

  always_ff @(posedge clk) begin
    if (rst) sclk_prev <= 1'b0;
    else sclk_prev <= sclk;
  end

  assign rose = sclk && !sclk_prev;
  assign fell = !sclk && sclk_prev;
  assign word = {{shift[{size - 2}:0], mosi}};
  {body}
endmodule
""",
        about=f"""SPI slave of mode 0 in front of registers of {width} bits. All inputs are synchronous; an edge of
            `sclk` is seen against its level in the cycle before. While `cs_n` is low `mosi` is taken as `sclk` rises:
            a bit that is {write_bit} for a write, {abits} address bits, {width} data bits, each with the highest first;
            later bits are ignored. `addr` shows the address from the cycle behind its last bit on. A write is given
            out with a cycle of `wr` and `wdata` behind its last bit. For a read `rdata` is taken as `sclk` falls
            behind the address, and `miso` shows its highest bit from then on, the next one from the next falling edge,
            and so on. High `cs_n` ends a frame at any point, and an incomplete write does nothing. `miso` means
            nothing outside the data bits of a read.""",
        model=Machine(reset, step),
        names=("spi_slave", "spi_to_regs", "spi_peripheral", "spi_target"),
        drive=drive,
        cycles=400,
    )


@family(variants=3)
def command_sender(r: Random, variant: int) -> Draft:
    """Sends a command for a memory card, with its check bits."""
    argument = r.choice((8, 12, 16))
    poly = r.choice((0x09, 0x09, 0x45, 0x0B, 0x65))
    init = r.choice((0, 0, 0x7F))
    head = 2 + 6 + argument
    total = head + 8
    taps = [k for k in range(7) if poly >> k & 1]
    unrolled = "\n".join(
        f"      crc[{k}] <= "
        + (f"crc[{k - 1}]" if k else "")
        + ((" ^ back" if k else "back") if k in taps else "")
        + ("1'b0" if not k and k not in taps else "")
        + ";"
        for k in range(7)
    )
    single = f"""
  logic [{head - 1}:0] shift;

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '1;
      crc <= 7'h{init:02x};
      count <= '0;
      busy <= 1'b0;
      line <= 1'b1;
    end else if (!busy) begin
      if (start) begin
        busy <= 1'b1;
        count <= '0;
        crc <= 7'h{init:02x};
        shift <= {{2'b01, index, argument}};
      end
    end else if (en) begin
      count <= count + 1'b1;
      if (count < HEAD) begin
        line <= shift[{head - 1}];
        shift <= shift << 1;
        crc <= (crc << 1) ^ ((crc[6] ^ shift[{head - 1}]) ? 7'h{poly:02x} : 7'h00);
      end else if (count < HEAD + 7) begin
        line <= crc[6];
        crc <= crc << 1;
      end else begin
        line <= 1'b1; // the end bit
        busy <= 1'b0;
      end
    end
  end
"""
    split = f"""
  logic [{head - 1}:0] frame_bits;
  logic payload, checking, bit_now, back;

  assign payload = (count < HEAD);
  assign checking = !payload && (count != TOTAL - 1);
  assign bit_now = frame_bits[HEAD-1-count];
  assign back = bit_now ^ crc[6];

  always_ff @(posedge clk) begin
    if (rst) frame_bits <= '0;
    else if (start && !busy) frame_bits <= {{1'b0, 1'b1, index, argument}};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      count <= '0;
    end else if (!busy) begin
      busy <= start;
      count <= '0;
    end else if (en) begin
      busy <= (count != TOTAL - 1);
      count <= count + 1'b1;
    end
  end

  // the check register divides while the payload leaves, then it leaves itself
  always_ff @(posedge clk) begin
    if (rst) begin
      crc <= 7'h{init:02x};
    end else if (!busy) begin
      crc <= 7'h{init:02x};
    end else if (en && payload) begin
{unrolled}
    end else if (en) begin
      crc <= {{crc[5:0], 1'b0}};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) line <= 1'b1;
    else if (busy && en) line <= payload ? bit_now : (checking ? crc[6] : 1'b1);
  end
"""
    machine = f"""
  typedef enum logic [1:0] {{IDLE, PAYLOAD, CHECK, STOP}} state_t;
  state_t state, state_next;
  logic [{head - 1}:0] shift;
  logic line_next;

  function automatic logic [6:0] divided(input logic [6:0] value, input logic data_bit);
    if (value[6] != data_bit) divided = {{value[5:0], 1'b0}} ^ 7'h{poly:02x};
    else divided = {{value[5:0], 1'b0}};
  endfunction

  assign busy = (state != IDLE);

  always_comb begin
    state_next = state;
    line_next = 1'b1;
    case (state)
      PAYLOAD: begin
        line_next = shift[{head - 1}];
        if (count == HEAD - 1) state_next = CHECK;
      end
      CHECK: begin
        line_next = crc[6];
        if (count == TOTAL - 2) state_next = STOP;
      end
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      count <= '0;
      line <= 1'b1;
    end else if (state == IDLE) begin
      count <= '0;
      if (start) state <= PAYLOAD;
    end else if (en) begin
      state <= state_next;
      count <= count + 1'b1;
      line <= line_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      crc <= '0;
    end else if (state == IDLE) begin
      shift <= {{2'b01, index, argument}};
      crc <= 7'h{init:02x};
    end else if (en) begin
      shift <= {{shift[{head - 2}:0], 1'b0}};
      // behind the payload the register is only shifted out
      crc <= (state == PAYLOAD) ? divided(crc, shift[{head - 1}]) : crc << 1;
    end
  end
"""
    body = (single, split, machine)[variant]

    def reset(s: State) -> None:
        s.bits, s.line = [], 1

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": int(bool(s.bits)), "line": s.line}
        if not s.bits:
            if i.start:
                value = 1 << 6 + argument | i.index << argument | i.argument
                bits = [value >> k & 1 for k in range(head - 1, -1, -1)]
                crc = init
                for bit in bits:
                    crc = crc << 1 & 127 ^ (poly if crc >> 6 ^ bit else 0)
                s.bits = [*bits, *(crc >> k & 1 for k in range(6, -1, -1)), 1]
        elif i.en:
            s.line, s.bits = s.bits[0], s.bits[1:]
        return out

    terms = " + ".join(["x^7", *(f"x^{k}" if k > 1 else "x" if k else "1" for k in reversed(taps))])
    return Draft(
        rtl=f"""
module command_sender (
  input logic clk,
  input logic rst,
  input logic en, // one bit
  input logic start,
  input logic [5:0] index,
  input logic [{argument - 1}:0] argument,
  output logic busy,
  output logic line
);
  localparam int HEAD = {head}; // bits that the check covers
{"  localparam int TOTAL = HEAD + 8;" if variant else ""}
  logic [6:0] crc;
  logic [5:0] count;
  {body}
endmodule
""",
        about=f"""Sends command frames of {total} bits on `line`, which rests high: a start bit of 0, a 1 for the
            direction, the 6 bits of `index`, the {argument} bits of `argument`, 7 check bits, an end bit of 1; all
            fields with their highest bit first. `start` takes a command while not `busy`; from the next cycle on each
            `en` puts a bit on the line, which is a register. `busy` falls as the end bit appears. The check is a CRC
            over everything before it, with the polynomial {terms}, starting from {init:02x} (hexadecimal), sent as it
            is.""",
        model=Machine(reset, step),
        names=("sd_command_tx", "cmd_frame_sender", "card_command", "crc7_framer"),
        stimulus={"en": 0.85, "start": 0.5},
        cycles=220,
    )
