"""Clocks that people read: time of day, dates, alarms and countdowns."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def wall_clock(r: Random, variant: int) -> Draft:
    """Hours, minutes and seconds, as a clock on the wall counts them."""
    twelve = r.random() < 0.5
    held = r.random() < 0.4
    advance = "tick && !hold" if held else "tick"
    first = 12 if twelve else 0
    hour_up = (
        """
        if (hours == 4'd12) hours <= 4'd1;
        else hours <= hours + 1'b1;
        if (hours == 4'd11) pm <= ~pm; // noon and midnight
"""
        if twelve
        else """
        if (hours == 5'd23) hours <= '0;
        else hours <= hours + 1'b1;
"""
    )
    hbits = 4 if twelve else 5
    start = f"{hbits}'d{first}"
    nested = f"""
  // each carry goes on to the next place
  always_ff @(posedge clk) begin
    if (rst) begin
      seconds <= '0;
      minutes <= '0;
      hours <= {start};
      {"pm <= 1'b0;" if twelve else ""}
    end else if (load) begin
      seconds <= load_seconds;
      minutes <= load_minutes;
      hours <= load_hours;
      {"pm <= load_pm;" if twelve else ""}
    end else if ({advance}) begin
      if (seconds != 6'd59) begin
        seconds <= seconds + 1'b1;
      end else begin
        seconds <= '0;
        if (minutes != 6'd59) begin
          minutes <= minutes + 1'b1;
        end else begin
          minutes <= '0;
{hour_up}
        end
      end
    end
  end
"""
    afternoon = (
        """
  always_ff @(posedge clk) begin
    if (rst) pm <= 1'b0;
    else if (load) pm <= load_pm;
    else if (hour_end && hours == 4'd11) pm <= !pm;
  end
"""
        if twelve
        else ""
    )
    hour_next = "(hours == 4'd12) ? 4'd1 : hours + 1'b1" if twelve else "(hours == 5'd23) ? 5'd0 : hours + 1'b1"
    chained = f"""
  logic minute_end, hour_end; // the carries

  assign minute_end = {advance.replace("&& !hold", "& ~hold")} & (seconds == 6'd59);
  assign hour_end = minute_end & (minutes == 6'd59);

  always_ff @(posedge clk) begin
    if (rst) seconds <= '0;
    else if (load) seconds <= load_seconds;
    else if ({advance}) seconds <= minute_end ? '0 : seconds + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) minutes <= '0;
    else if (load) minutes <= load_minutes;
    else if (minute_end) minutes <= hour_end ? '0 : minutes + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) hours <= {start};
    else if (load) hours <= load_hours;
    else if (hour_end) hours <= {hour_next};
  end
{afternoon}
"""
    place = """
module sixty_counter (
  input logic clk,
  input logic rst,
  input logic en,
  input logic load,
  input logic [5:0] preset,
  output logic [5:0] count,
  output logic carry // with the step from 59 to 0
);
  assign carry = en && (count == 6'd59);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (load) count <= preset;
    else if (carry) count <= '0;
    else if (en) count <= count + 1'b1;
  end
endmodule
"""
    placed = f"""
  logic minute_end, hour_end;

  sixty_counter u_seconds (
    .clk(clk),
    .rst(rst),
    .en({advance}),
    .load(load),
    .preset(load_seconds),
    .count(seconds),
    .carry(minute_end)
  );

  sixty_counter u_minutes (
    .clk(clk),
    .rst(rst),
    .en(minute_end),
    .load(load),
    .preset(load_minutes),
    .count(minutes),
    .carry(hour_end)
  );

  always_ff @(posedge clk) begin
    if (rst) begin
      hours <= {start};
      {"pm <= 1'b0;" if twelve else ""}
    end else if (load) begin
      hours <= load_hours;
      {"pm <= load_pm;" if twelve else ""}
    end else if (hour_end) begin
{hour_up}
    end
  end
"""
    body = (nested, chained, placed)[variant]

    def reset(s: State) -> None:
        s.hours, s.minutes, s.seconds, s.pm = first, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"hours": s.hours, "minutes": s.minutes, "seconds": s.seconds}
        if twelve:
            out["pm"] = s.pm
        if i.load:
            s.hours, s.minutes, s.seconds = i.load_hours, i.load_minutes, i.load_seconds
            if twelve:
                s.pm = i.load_pm
        elif i.tick and not (held and i.hold):
            s.seconds = (s.seconds + 1) % 60
            if s.seconds == 0:
                s.minutes = (s.minutes + 1) % 60
                if s.minutes == 0:
                    s.hours = s.hours % 12 + 1 if twelve else (s.hours + 1) % 24
                    if twelve and s.hours == 12:
                        s.pm ^= 1
        return out

    shown = (
        "`hours` runs from 1 to 12, with `pm` low from midnight to noon: 11:59:59 is followed by 12:00:00 with the"
        " other `pm`, and 12:59:59 by 1:00:00"
        if twelve
        else "`hours` runs from 0 to 23"
    )
    return Draft(
        rtl=f"""{place if variant == 2 else ""}
module wall_clock (
  input logic clk,
  input logic rst,
  input logic tick, // once a second
  {"input logic hold," if held else ""}
  input logic load,
  input logic [{hbits - 1}:0] load_hours,
  input logic [5:0] load_minutes,
  input logic [5:0] load_seconds,
  {"input logic load_pm," if twelve else ""}
  output logic [{hbits - 1}:0] hours,
  output logic [5:0] minutes,
  output logic [5:0] seconds{", output logic pm // afternoon" if twelve else ""}
);
  {body}
endmodule
""",
        about=f"""A clock of {12 if twelve else 24} hours. It goes on by a second at each edge with `tick`{
            " and without `hold`" if held else ""
        }; `seconds` and `minutes` run from 0 to 59, {shown}. `load` sets it from `load_hours`, `load_minutes`,
            `load_seconds`{" and `load_pm`" if twelve else ""} instead{", whether held or not" if held else ""}; only
            valid times are loaded. After reset it is {"midnight, 12:00:00 am" if twelve else "midnight"}.""",
        model=Machine(reset, step),
        names=("time_of_day", "clock_12h" if twelve else "clock_24h", "rtc_time"),
        stimulus={
            "tick": 0.85,
            "hold": 0.1,
            "load": 0.12,
            "load_hours": lambda r: (
                r.choice((11, 12, 11, r.randrange(1, 13))) if twelve else r.choice((23, 23, 9, r.randrange(24)))
            ),
            "load_minutes": lambda r: r.choice((59, 59, 59, r.randrange(60))),
            "load_seconds": lambda r: r.choice((57, 58, 59, r.randrange(60))),
        },
        cycles=260,
    )


@family(variants=3)
def calendar(r: Random, variant: int) -> Draft:
    """Day, month and year, with the lengths of the months."""
    weekday = r.random() < 0.5
    start = r.choice((0, 1))  # whether the year after reset is a leap year
    year0 = r.choice((0, 20, 24)) if start else r.choice((1, 23, 70))
    first = r.randrange(7)
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    cased = """
  always_comb begin
    case (month)
      4'd2: month_days = leap ? 5'd29 : 5'd28;
      4'd4, 4'd6, 4'd9, 4'd11: month_days = 5'd30;
      default: month_days = 5'd31;
    endcase
  end
"""
    # Months are long where their parity and their half of the year differ.
    formula = """
  logic is_long;

  // odd months up to July, even ones from August on
  assign is_long = month[0] ^ month[3];
  assign month_days = (month == 2) ? (leap ? 29 : 28) : is_long ? 31 : 30;
"""
    listed = """
  localparam logic [12:1] LONG_MONTHS = 12'b101011010101; // bit 1 is January
"""
    function = """
  function automatic logic [4:0] days_in(input logic [3:0] which, input logic is_leap);
    begin
      days_in = 5'd30;
      if (LONG_MONTHS[which]) days_in = 5'd31;
      if (which == 4'd2) days_in = is_leap ? 5'd29 : 5'd28;
    end
  endfunction

  assign month_days = days_in(month, leap);
"""
    week_load = "      weekday <= set_weekday;\n" if weekday else ""
    week_reset = f"      weekday <= {first};\n" if weekday else ""
    week_step = "      weekday <= (weekday == 6) ? '0 : weekday + 1'b1;\n" if weekday else ""
    one = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      day <= 5'd1;
      month <= 4'd1;
      year <= {year0};
{week_reset}
    end else if (set) begin
      day <= set_day;
      month <= set_month;
      year <= set_year;
{week_load}
    end else if (day_end) begin
{week_step}
      if (day != month_days) begin
        day <= day + 1'b1;
      end else begin
        day <= 5'd1;
        if (month != 4'd12) begin
          month <= month + 1'b1;
        end else begin
          month <= 4'd1;
          year <= (year == 99) ? '0 : year + 1'b1;
        end
      end
    end
  end
"""
    week_block = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) weekday <= {first};
    else if (set) weekday <= set_weekday;
    else if (day_end) weekday <= (weekday == 3'd6) ? 3'd0 : weekday + 1'b1;
  end
"""
        if weekday
        else ""
    )
    apart = f"""
  logic month_end, year_end;

  assign month_end = day_end && (day == month_days);
  assign year_end = month_end && (month == 4'd12);

  always_ff @(posedge clk) begin
    if (rst) day <= 5'd1;
    else if (set) day <= set_day;
    else if (month_end) day <= 5'd1;
    else if (day_end) day <= day + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) month <= 4'd1;
    else if (set) month <= set_month;
    else if (year_end) month <= 4'd1;
    else if (month_end) month <= month + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) year <= {year0};
    else if (set) year <= set_year;
    else if (year_end) year <= (year == 7'd99) ? 7'd0 : year + 1'b1;
  end
{week_block}
"""
    body = (cased + one, formula + apart, listed + function + (one if r.random() < 0.5 else apart))[variant]

    def reset(s: State) -> None:
        s.day, s.month, s.year, s.week = 1, 1, year0, first

    def step(s: State, i: Pins) -> Outputs:
        leap = s.year % 4 == 0
        out = {"day": s.day, "month": s.month, "year": s.year, "leap": int(leap)}
        if weekday:
            out["weekday"] = s.week
        if i.set:
            s.day, s.month, s.year = i.set_day, i.set_month, i.set_year
            if weekday:
                s.week = i.set_weekday
        elif i.day_end:
            s.week = (s.week + 1) % 7
            s.day += 1
            if s.day > lengths[s.month - 1] + (leap and s.month == 2):
                s.day, s.month = 1, s.month + 1
                if s.month > 12:
                    s.month, s.year = 1, (s.year + 1) % 100
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        month = r.choice((2, 2, 2, 12, r.randrange(1, 13), r.randrange(1, 13), r.randrange(1, 13)))
        year = r.choice((0, 99, r.randrange(25) * 4, r.randrange(25) * 4, r.randrange(100)))
        most = lengths[month - 1] + (month == 2 and year % 4 == 0)
        return {
            "set_month": month,
            "set_year": year,
            "set_day": r.choice((most - 2, most - 1, most, r.randrange(1, most + 1))),
            "set_weekday": r.randrange(7),
        }

    return Draft(
        rtl=f"""
module calendar (
  input logic clk,
  input logic rst,
  input logic day_end, // midnight
  input logic set,
  input logic [4:0] set_day,
  input logic [3:0] set_month,
  input logic [6:0] set_year,
  {"input logic [2:0] set_weekday," if weekday else ""}
  output logic [4:0] day,
  output logic [3:0] month,
  output logic [6:0] year, // from 2000 on
  {"output logic [2:0] weekday, // 0 is Sunday" if weekday else ""}
  output logic leap
);
  logic [4:0] month_days; // of this month

  // every fourth year, without exception in this century
  assign leap = (year[1:0] == 0);
  {body}
endmodule
""",
        about=f"""Calendar of the years 2000 to 2099. At each edge with `day_end` the date goes on by a day: `day`
            from 1 to
            the length of the month (30 in April, June, September and November; in February 28, or 29 where `leap` is
            high;
            else 31), `month` from 1 to 12, `year` from 0 to 99 and around. `leap` is high in years that 4 divides.{
            " `weekday` goes from 0 to 6 and around." if weekday else ""
        } `set` loads the date{
            " and the weekday" if weekday else ""
        } from `set_day` and its like instead; only valid dates
            are loaded. After reset it is January 1 of the year {year0}{f", weekday {first}" if weekday else ""}.""",
        model=Machine(reset, step),
        names=("date_counter", "rtc_date", "date_keeper"),
        stimulus={"day_end": 0.8, "set": 0.22},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def alarm_with_snooze(r: Random, variant: int) -> Draft:
    """Rings at the set minute, and again a little after each snooze."""
    snooze = r.choice((3, 4, 5))
    most = r.choice((1, 2, 3))
    ring = r.choice((6, 7, 8))
    bits = max(snooze, ring).bit_length()
    mbits = most.bit_length()
    width = 6
    cased = """
  typedef enum logic [1:0] {WAIT, RING, SNOOZE} state_t;
  state_t state;

  assign ringing = (state == RING);
  assign snoozing = (state == SNOOZE);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= WAIT;
      timer <= '0;
      snoozes <= '0;
    end else if (!armed || stop) begin
      state <= WAIT;
    end else begin
      case (state)
        WAIT: if (due) begin
          state <= RING;
          timer <= RING_TIME;
          snoozes <= '0;
        end
        RING: begin
          if (snooze && snoozes != MAX_SNOOZES) begin
            state <= SNOOZE;
            timer <= SNOOZE_TIME;
            snoozes <= snoozes + 1'b1;
          end else if (minute_tick) begin
            timer <= timer - 1'b1;
            if (timer == 1) state <= WAIT; // nobody is at home
          end
        end
        SNOOZE: if (minute_tick) begin
          timer <= timer - 1'b1;
          if (timer == 1) begin
            state <= RING;
            timer <= RING_TIME;
          end
        end
        default: state <= WAIT;
      endcase
    end
  end
"""
    parted = """
  typedef enum logic [1:0] {WAIT, RING, SNOOZE} state_t;
  state_t state, state_next;
  logic time_over, take_snooze;

  assign time_over = minute_tick && (timer == 1);
  assign take_snooze = (state == RING) && snooze && (snoozes < MAX_SNOOZES);

  always_comb begin
    state_next = state;
    case (state)
      WAIT: if (due) state_next = RING;
      RING: begin
        if (take_snooze) state_next = SNOOZE;
        else if (time_over) state_next = WAIT;
      end
      SNOOZE: if (time_over) state_next = RING;
      default: state_next = WAIT;
    endcase
    if (stop || !armed) state_next = WAIT; // at any time
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= WAIT;
      timer <= '0;
    end else begin
      state <= state_next;
      if (state_next != state) timer <= (state_next == RING) ? RING_TIME : SNOOZE_TIME;
      else if (minute_tick) timer <= timer - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) snoozes <= '0;
    else if (state == WAIT) snoozes <= '0;
    else if (take_snooze) snoozes <= snoozes + 1'b1;
  end

  always_comb begin
    ringing = (state == RING);
    snoozing = (state == SNOOZE);
  end
"""
    flags = """
  logic quiet, take_snooze, time_over;

  assign quiet = stop | ~armed;
  assign take_snooze = ringing & snooze & (snoozes != MAX_SNOOZES);
  assign time_over = minute_tick & (timer == 1);

  // at most one of the two is high
  always_ff @(posedge clk) begin
    if (rst) begin
      ringing <= 1'b0;
      snoozing <= 1'b0;
    end else if (quiet) begin
      ringing <= 1'b0;
      snoozing <= 1'b0;
    end else if (take_snooze) begin
      ringing <= 1'b0;
      snoozing <= 1'b1;
    end else if (snoozing) begin
      if (time_over) begin
        snoozing <= 1'b0;
        ringing <= 1'b1;
      end
    end else begin
      ringing <= ringing ? !time_over : due;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
    end else begin
      if (take_snooze) timer <= SNOOZE_TIME;
      else if (!ringing && !snoozing) timer <= RING_TIME;
      else if (snoozing && time_over) timer <= RING_TIME;
      else if (minute_tick) timer <= timer - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) snoozes <= '0;
    else if (!ringing && !snoozing) snoozes <= '0;
    else if (take_snooze && !quiet) snoozes <= snoozes + 1'b1;
  end
"""
    body = (cased, parted, flags)[variant]
    sounding = r.random() < 0.5
    beep = "ringing && second_half" if sounding else ""

    def reset(s: State) -> None:
        s.mode, s.timer, s.count = "wait", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"ringing": int(s.mode == "ring"), "snoozing": int(s.mode == "snooze")}
        if sounding:
            out["buzzer"] = int(s.mode == "ring" and i.second_half)
        due = i.minute_tick and i.hours == i.alarm_hours and i.minutes == i.alarm_minutes
        if i.stop or not i.armed:
            s.mode = "wait"
        elif s.mode == "wait":
            if due:
                s.mode, s.timer, s.count = "ring", ring, 0
        elif s.mode == "ring" and i.snooze and s.count < most:
            s.mode, s.timer, s.count = "snooze", snooze, s.count + 1
        elif i.minute_tick:
            s.timer -= 1
            if s.timer == 0:
                s.mode, s.timer = ("wait", 0) if s.mode == "ring" else ("ring", ring)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        hours, minutes = r.randrange(24), r.randrange(60)
        if getattr(s, "patience", 0) == 0:
            s.patience = r.choice((3, 9, 40))
            s.lazy = r.choice((0.02, 0.35))
        s.patience -= 1
        near = r.random()
        return {
            "hours": hours,
            "minutes": minutes,
            "alarm_hours": hours if near < 0.75 else r.randrange(24),
            "alarm_minutes": minutes if near < 0.5 or near > 0.9 else r.randrange(60),
            "snooze": int(r.random() < s.lazy),
        }

    return Draft(
        rtl=f"""
module alarm_with_snooze #(
  parameter int SNOOZE_TIME = {snooze}, // minutes
  parameter int MAX_SNOOZES = {most},
  parameter int RING_TIME = {ring} // minutes, at most
) (
  input logic clk,
  input logic rst,
  input logic minute_tick, // the first cycle of each minute
  input logic [4:0] hours,
  input logic [{width - 1}:0] minutes,
  input logic [4:0] alarm_hours,
  input logic [{width - 1}:0] alarm_minutes,
  input logic armed,
  input logic snooze,
  input logic stop,
  {"input logic second_half, // of each second" if sounding else ""}
  output logic ringing,
  output logic snoozing{", output logic buzzer" if sounding else ""}
);
  logic [{bits - 1}:0] timer;
  logic [{mbits - 1}:0] snoozes; // taken for this alarm
  logic due;

  assign due = minute_tick && (hours == alarm_hours) && (minutes == alarm_minutes);
  {f"assign buzzer = {beep};" if sounding else ""}
  {body}
endmodule
""",
        about=f"""Alarm of a clock. If it is quiet and `armed`, a cycle with `minute_tick` in which `hours` and
            `minutes`
            equal the alarm's makes it ring from the next cycle on. While it rings, `snooze` makes it wait until the
            {snooze}th `minute_tick` after that cycle and then ring again; this works {most} time{
            "s" * (most > 1)
        } an alarm,
            after that `snooze` does nothing. If nothing is done it stops by itself with the {ring}th `minute_tick` of
            ringing (each time it rings anew they are counted afresh). `stop`, and `armed` low, end the alarm, ringing
            or
            snoozing, with the next edge and let none begin. `ringing` and `snoozing` tell the state{
            "; `buzzer` is high while it rings and `second_half` is high" if sounding else ""
        }.""",
        model=Machine(reset, step),
        names=("alarm_clock", "wake_up_alarm", "snooze_fsm"),
        stimulus={"minute_tick": 0.6, "armed": 0.985, "stop": 0.025},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def kitchen_timer(r: Random, variant: int) -> Draft:
    """Counts minutes and seconds down to a beep."""
    most = r.choice((9, 19, 59))
    mbits = most.bit_length()
    beeps = r.choice((3, 4, 6))
    bbits = beeps.bit_length()
    jump = r.choice((10, 15, 30))
    pausing = r.random() < 0.6
    running_go = "start" if not pausing else "toggle"
    add_minute = "minutes <= (minutes == MAX_MINUTES) ? minutes : minutes + 1'b1;"
    pause_arm = "          if (toggle) state <= SET;\n          else " if pausing else "          "
    two = f"""
  typedef enum logic [1:0] {{SET, RUN, BEEP}} state_t;
  state_t state;
  logic [{bbits - 1}:0] left; // beeps
  logic is_zero;

  assign is_zero = (minutes == 0) && (seconds == 0);
  assign running = (state == RUN);
  assign beep = (state == BEEP);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= SET;
      minutes <= '0;
      seconds <= '0;
      left <= '0;
    end else if (clear) begin
      state <= SET;
      minutes <= '0;
      seconds <= '0;
    end else begin
      case (state)
        SET: begin
          if ({running_go}) begin
            if (!is_zero) state <= RUN;
          end else if (plus_minute) begin
            {add_minute}
          end else if (plus_seconds) begin
            seconds <= (seconds >= 60 - JUMP) ? seconds - (60 - JUMP) : seconds + JUMP;
          end
        end
        RUN: begin
{pause_arm}if (tick) begin
            if (seconds != 0) begin
              seconds <= seconds - 1'b1;
            end else begin
              seconds <= 59;
              minutes <= minutes - 1'b1;
            end
            if (minutes == 0 && seconds == 1) begin
              state <= BEEP;
              left <= BEEPS;
            end
          end
        end
        default: if (tick) begin
          left <= left - 1'b1;
          if (left == 1) state <= SET;
        end
      endcase
    end
  end
"""
    separate = f"""
  typedef enum logic [1:0] {{SET, RUN, BEEP}} state_t;
  state_t state, state_next;
  logic [{bbits - 1}:0] count;
  logic borrow, runs_out, adjust, down;

  assign down = (state == RUN) && tick{" && !toggle" if pausing else ""};
  assign borrow = (seconds == 0);
  assign runs_out = (minutes == 0) && (seconds == 1);
  assign adjust = (state == SET) && !{running_go};

  always_comb begin
    state_next = state;
    case (state)
      SET: if ({running_go} && (minutes != 0 || seconds != 0)) state_next = RUN;
      RUN: begin
        {"if (toggle) state_next = SET;" if pausing else ""}
        if (down && runs_out) state_next = BEEP;
      end
      BEEP: if (tick && count == BEEPS - 1) state_next = SET;
      default: state_next = SET;
    endcase
    if (clear) state_next = SET;
  end

  always_ff @(posedge clk) begin
    if (rst) state <= SET;
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) minutes <= '0;
    else if (clear) minutes <= '0;
    else if (adjust && plus_minute && minutes != MAX_MINUTES) minutes <= minutes + 1'b1;
    else if (down && borrow) minutes <= minutes - 1'b1;
  end

  logic [6:0] raised;
  logic [5:0] jumped;

  assign raised = seconds + JUMP;
  assign jumped = (raised >= 60) ? raised - 60 : raised;

  // seconds are set without a carry to the minutes
  always_ff @(posedge clk) begin
    if (rst) seconds <= '0;
    else if (clear) seconds <= '0;
    else if (adjust && !plus_minute && plus_seconds) seconds <= jumped;
    else if (down) seconds <= borrow ? 59 : seconds - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (state != BEEP) count <= '0;
    else if (tick) count <= count + 1'b1;
  end

  assign running = (state == RUN);
  assign beep = (state == BEEP);
"""
    flags = f"""
  logic [{bbits - 1}:0] left;
  logic [5:0] seconds_next;
  logic [{mbits - 1}:0] minutes_next;
  logic empty_next, set_mode;

  assign set_mode = !running && !beep;
  assign empty_next = (minutes_next == 0) && (seconds_next == 0);

  // the time after this cycle
  always_comb begin
    minutes_next = minutes;
    seconds_next = seconds;
    if (clear) begin
      minutes_next = '0;
      seconds_next = '0;
    end else if (running && tick{" && !toggle" if pausing else ""}) begin
      if (seconds == 0) begin
        seconds_next = 6'd59;
        minutes_next = minutes - 1'b1;
      end else begin
        seconds_next = seconds - 1'b1;
      end
    end else if (set_mode && !{running_go}) begin
      if (plus_minute) begin
        if (minutes < MAX_MINUTES) minutes_next = minutes + 1'b1;
      end else if (plus_seconds) begin
        if (seconds < 60 - JUMP) seconds_next = seconds + JUMP;
        else seconds_next = seconds + JUMP - 60;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      minutes <= '0;
      seconds <= '0;
    end else begin
      minutes <= minutes_next;
      seconds <= seconds_next;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      running <= 1'b0;
      beep <= 1'b0;
      left <= '0;
    end else if (clear) begin
      running <= 1'b0;
      beep <= 1'b0;
    end else if (running) begin
      {"if (toggle) running <= 1'b0;" if pausing else ""}
      {"else if" if pausing else "if"} (empty_next) begin
        running <= 1'b0;
        beep <= 1'b1;
        left <= BEEPS - 1;
      end
    end else if (beep) begin
      if (tick) left <= left - 1'b1;
      if (tick && left == 0) beep <= 1'b0;
    end else begin
      running <= {running_go} && !empty_next;
    end
  end
"""
    body = (two, separate, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.minutes, s.seconds, s.left = "set", 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "minutes": s.minutes,
            "seconds": s.seconds,
            "running": int(s.mode == "run"),
            "beep": int(s.mode == "beep"),
        }
        go = i.toggle if pausing else i.start
        if i.clear:
            s.mode, s.minutes, s.seconds = "set", 0, 0
        elif s.mode == "set":
            if go:
                if s.minutes or s.seconds:
                    s.mode = "run"
            elif i.plus_minute:
                s.minutes = min(most, s.minutes + 1)
            elif i.plus_seconds:
                s.seconds = (s.seconds + jump) % 60
        elif s.mode == "run":
            if pausing and i.toggle:
                s.mode = "set"
            elif i.tick:
                time = s.minutes * 60 + s.seconds - 1
                s.minutes, s.seconds = divmod(time, 60)
                if time == 0:
                    s.mode, s.left = "beep", beeps
        elif i.tick:
            s.left -= 1
            if s.left == 0:
                s.mode = "set"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "plan", None) is None or (s.mode == "set" and r.random() < 0.02):
            s.plan = r.choice((0, 1, 1, 2))
        setting = s.mode == "set"
        go = int(r.random() < (0.25 if setting else 0.03))
        pins = {"plus_minute": int(r.random() < (0.3 if s.plan == 2 or (s.minutes == 0 and s.plan) else 0.03))}
        pins["plus_seconds"] = int(r.random() < 0.3)
        pins["start"] = pins["toggle"] = go
        pins["clear"] = int(r.random() < (0.01 if s.minutes < 2 else 0.06))
        return pins

    return Draft(
        rtl=f"""
module kitchen_timer #(
  parameter int MAX_MINUTES = {most},
  parameter int JUMP = {jump}, // seconds
  parameter int BEEPS = {beeps}
) (
  input logic clk,
  input logic rst,
  input logic tick, // once a second
  input logic plus_minute,
  input logic plus_seconds,
  input logic {running_go},{" // start and pause" if pausing else ""}
  input logic clear,
  output logic [{mbits - 1}:0] minutes,
  output logic [5:0] seconds,
  output logic running,
  output logic beep
);
  {body}
endmodule
""",
        about=f"""Kitchen timer with buttons that are high for one cycle. While it is neither `running` nor beeping,
            `{running_go}` starts it if the time is not 0; without it `plus_minute` adds a minute, up to {
            most
        }, and without
            that `plus_seconds` adds {
            jump
        } seconds, going around at 60 without touching the minutes. While `running` each
            `tick` takes a second off; at the one that makes the time 0:00 it stops and `beep` is high until the {
            beeps
        }th
            `tick` after that. {
            "`toggle` while running pauses it (a `tick` in that cycle has no effect), and the time can be set then. "
            if pausing
            else ""
        }`clear` goes before all else: the time is 0, and it neither runs nor beeps. So it is after reset.""",
        model=Machine(reset, step),
        names=("countdown_timer", "egg_timer", "cook_timer"),
        stimulus={"tick": 0.9},
        drive=drive,
        cycles=400,
    )
