"""Small games and their referees."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def electronic_dice(r: Random, variant: int) -> Draft:
    """Rolls while the button is held and shows the spots of a die."""
    # Lamps: 0 the centre, 1 to 3 the pairs (one diagonal, the other one, the middle row).
    first = r.choice((1, 6))
    faces = {1: 0b0001, 2: 0b0010, 3: 0b0011, 4: 0b0110, 5: 0b0111, 6: 0b1110}
    masked = r.random() < 0.5
    arms = "\n".join(f"      3'd{k}: lamps = 4'b{lamps:04b};" for k, lamps in list(faces.items())[:-1])
    up = "(face == 3'd6) ? 3'd1 : face + 1'b1"
    body = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) face <= 3'd{first};
    else if (roll) face <= {up};
  end

  always_comb begin
    case (face)
{arms}
      default: lamps = 4'b{faces[6]:04b};
    endcase
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      face <= 3'd{first};
    end else if (roll) begin
      if (face < 6) face <= face + 1'b1;
      else face <= 3'd1;
    end
  end

  // odd faces have the centre; each pair joins at its face and stays for all above
  assign lamps[0] = face[0];
  assign lamps[1] = (face >= 2);
  assign lamps[2] = (face >= 4);
  assign lamps[3] = (face == 6);
""",
        f"""
  logic [2:0] face_next;

  always_comb begin
    face_next = face;
    if (roll) face_next = {up};
  end

  always_ff @(posedge clk) begin
    if (rst) face <= 3'd{first};
    else face <= face_next;
  end

  assign lamps = {{face[2] & face[1], face[2], face[2] | face[1], face[0]}};
""",
    )[variant]
    gate = "\n  assign shown = roll ? '0 : lamps; // dark while it rolls\n" if masked else "\n  assign shown = lamps;\n"

    # The middle row comes last, so six is all but the centre.
    def spots(face: int) -> int:
        return (face & 1) | int(face >= 2) << 1 | int(face >= 4) << 2 | int(face == 6) << 3

    def reset(s: State) -> None:
        s.face = first

    def step(s: State, i: Pins) -> Outputs:
        out = {"face": s.face, "shown": 0 if masked and i.roll else spots(s.face)}
        if i.roll:
            s.face = s.face % 6 + 1
        return out

    return Draft(
        rtl=f"""
module electronic_dice (
  input logic clk,
  input logic rst,
  input logic roll, // the button
  output logic [2:0] face,
  output logic [3:0] shown // the middle row, the second diagonal, the first one, the centre
);
  logic [3:0] lamps;
  {body}
  {gate}
endmodule
""",
        about=f"""Electronic die. `face` is from 1 to 6, {first} after reset, and goes on by one, from 6 to 1, at each
            edge with
            `roll`. `shown` drives the lamps of its spots: bit 0 the centre (on for 1, 3 and 5), and three pairs: bit
            1 from
            face 2 on, bit 2 from face 4 on, bit 3 for 6 only.{
            " All are dark while `roll` is high." if masked else ""
        }""",
        model=Machine(reset, step),
        names=("dice", "die_roller", "dice_lamps"),
        stimulus={"roll": 0.6},
    )


@family(variants=3)
def reaction_game(r: Random, variant: int) -> Draft:
    """Measures how fast a player answers a light that comes when nobody expects it."""
    width = r.choice((4, 5, 6))
    most = (1 << width) - 1
    dbits = r.choice((3, 4))
    best = r.random() < 0.5
    machine = """
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      delay <= '0;
      elapsed <= '0;
    end else begin
      case (state)
        WAIT: begin
          if (button) state <= CHEATED; // too early
          else if (delay == 0) state <= LIGHT;
          else delay <= delay - 1'b1;
        end
        LIGHT: begin
          if (button || elapsed == {WIDTH{1'b1}}) state <= SHOW;
          else elapsed <= elapsed + 1'b1;
        end
        default: if (start) begin
          state <= WAIT;
          delay <= random_delay;
          elapsed <= '0;
        end
      endcase
    end
  end
"""
    parted = """
  state_t state_next;
  logic begins, too_slow;

  assign begins = start && (state != WAIT) && (state != LIGHT);
  assign too_slow = &elapsed;

  always_comb begin
    state_next = state;
    case (state)
      WAIT: begin
        if (button) state_next = CHEATED;
        else if (delay == 0) state_next = LIGHT;
      end
      LIGHT: if (button || too_slow) state_next = SHOW;
      default: if (begins) state_next = WAIT;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  // the random time before the light
  always_ff @(posedge clk) begin
    if (rst) delay <= '0;
    else if (begins) delay <= random_delay;
    else if (state == WAIT && delay != 0 && !button) delay <= delay - 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) elapsed <= '0;
    else if (begins) elapsed <= '0;
    else if (state == LIGHT && !button && !too_slow) elapsed <= elapsed + 1'b1;
  end
"""
    nested = f"""
  logic idle;

  assign idle = (state == IDLE) || (state == SHOW) || (state == CHEATED);

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else if (idle) state <= start ? WAIT : state;
    else if (state == WAIT) state <= button ? CHEATED : (delay == 0) ? LIGHT : WAIT;
    else state <= (button || (elapsed == {most})) ? SHOW : LIGHT;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      delay <= '0;
      elapsed <= '0;
    end else if (idle) begin
      if (start) begin
        delay <= random_delay;
        elapsed <= '0;
      end
    end else if (!button) begin
      if (state == WAIT && delay != 0) delay <= delay - 1'b1;
      if (state == LIGHT && elapsed != {most}) elapsed <= elapsed + 1'b1;
    end
  end
"""
    body = (machine, parted, nested)[variant]
    record = (
        """
  // the shortest time since reset
  always_ff @(posedge clk) begin
    if (rst) best <= {WIDTH{1'b1}};
    else if (state == LIGHT && button && elapsed < best) best <= elapsed;
  end
"""
        if best
        else ""
    )

    def reset(s: State) -> None:
        s.mode, s.delay, s.time, s.best = "idle", 0, 0, most

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "light": int(s.mode == "light"),
            "cheated": int(s.mode == "cheated"),
            "valid": int(s.mode == "show"),
            "elapsed": s.time,
        }
        if best:
            out["best"] = s.best
        if s.mode == "wait":
            if i.button:
                s.mode = "cheated"
            elif s.delay == 0:
                s.mode = "light"
            else:
                s.delay -= 1
        elif s.mode == "light":
            if i.button:
                s.mode = "show"
                s.best = min(s.best, s.time)
            elif s.time == most:
                s.mode = "show"
            else:
                s.time += 1
        elif i.start:
            s.mode, s.delay, s.time = "wait", i.random_delay, 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.mode != "light":
            s.sleepy = r.choice((0.0, 0.1, 0.3))
        chance = s.sleepy if s.mode == "light" else 0.03 if s.mode == "wait" else 0.2
        return {"button": int(r.random() < chance)}

    return Draft(
        rtl=f"""
module reaction_game #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic start,
  input logic [{dbits - 1}:0] random_delay,
  input logic button, // of the player
  output logic light,
  output logic cheated,
  output logic valid,
  output logic [WIDTH-1:0] elapsed{", output logic [WIDTH-1:0] best" if best else ""}
);
  typedef enum logic [2:0] {{IDLE, WAIT, LIGHT, SHOW, CHEATED}} state_t;
  state_t state;
  logic [{dbits - 1}:0] delay;

  assign light = (state == LIGHT);
  assign cheated = (state == CHEATED);
  assign valid = (state == SHOW);
  {body}
  {record}
endmodule
""",
        about=f"""Reaction game. `start`, unless a round is under way, begins one and takes `random_delay`; `elapsed`
            becomes 0.
            From the next cycle on the player has to wait for one cycle more than this number, then the `light` goes
            on. A
            cycle of waiting with `button` ends the round with `cheated` high. `elapsed` counts the cycles with the
            light
            before the one with `button`; that one, or the one in which it is {most} (it stays there), ends the round,
            and
            then `valid` is high. `cheated` and `valid` last until the next `start`.{
            f" `best` is the shortest time that ended with the button since reset, and {most} before." if best else ""
        }""",
        model=Machine(reset, step),
        names=("reaction_timer", "reflex_game", "reaction_tester"),
        stimulus={"start": 0.3},
        drive=drive,
        cycles=320,
    )


@family(variants=3)
def tennis_score(r: Random, variant: int) -> Draft:
    """Keeps the score of a tennis set: points with advantage, games, and who has won."""
    sudden = r.random() < 0.4  # no advantage: the next point after 40:40 decides
    games = r.choice((4, 6))
    gbits = 3
    margin = "" if sudden else "\n  // with 40 all the points go on: to an advantage, and back"
    wins = "(points_a == 3)" if sudden else "((points_a == 3) && (points_b < 3)) || (points_a == 4)"
    other = wins.replace("points_a", "points_x").replace("points_b", "points_a").replace("points_x", "points_b")
    back_a = "" if sudden else "else if (points_b == 4) points_b <= 3'd3;\n        "
    back_b = back_a.replace("points_b", "points_a")
    together = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      points_a <= '0;
      points_b <= '0;
      games_a <= '0;
      games_b <= '0;
    end else if (new_set) begin
      points_a <= '0;
      points_b <= '0;
      games_a <= '0;
      games_b <= '0;
    end else if (!set_over) begin
      if (score_a && !score_b) begin
        if (wins_a) begin
          points_a <= '0;
          points_b <= '0;
          games_a <= games_a + 1'b1;
        end
        {back_a}else points_a <= points_a + 1'b1;
      end else if (score_b && !score_a) begin
        if (wins_b) begin
          points_a <= '0;
          points_b <= '0;
          games_b <= games_b + 1'b1;
        end
        {back_b}else points_b <= points_b + 1'b1;
      end
    end
  end
"""
    lost_a = "" if sudden else "else if (point_b && points_a == 4) points_a <= 3'd3; // the advantage is lost"
    lost_b = "" if sudden else "else if (point_a && points_b == 4) points_b <= 3'd3;"
    keep_a = "" if sudden else " && points_b != 4"
    keep_b = "" if sudden else " && points_a != 4"
    apart = f"""
  logic point_a, point_b, game_end;

  assign point_a = score_a && !score_b && !set_over;
  assign point_b = score_b && !score_a && !set_over;
  assign game_end = (point_a && wins_a) || (point_b && wins_b);

  always_ff @(posedge clk) begin
    if (rst) points_a <= '0;
    else if (new_set || game_end) points_a <= '0;
    {lost_a}
    else if (point_a{keep_a}) points_a <= points_a + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) points_b <= '0;
    else if (new_set || game_end) points_b <= '0;
    {lost_b}
    else if (point_b{keep_b}) points_b <= points_b + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      games_a <= '0;
      games_b <= '0;
    end else if (new_set) begin
      games_a <= '0;
      games_b <= '0;
    end else begin
      if (point_a && wins_a) games_a <= games_a + 1'b1;
      if (point_b && wins_b) games_b <= games_b + 1'b1;
    end
  end
"""
    down_a = "" if sudden else "          else if (points_b == 4) points_b_next = 3'd3;\n"
    down_b = down_a.replace("points_b", "points_a")
    nexts = f"""
  logic [2:0] points_a_next, points_b_next, games_a_next, games_b_next;

  always_comb begin
    points_a_next = points_a;
    points_b_next = points_b;
    games_a_next = games_a;
    games_b_next = games_b;
    if (!set_over) begin
      case ({{score_a, score_b}})
        2'b10: begin
          if (wins_a) games_a_next = games_a + 1'b1;
{down_a}
          else points_a_next = points_a + 1'b1;
        end
        2'b01: begin
          if (wins_b) games_b_next = games_b + 1'b1;
{down_b}
          else points_b_next = points_b + 1'b1;
        end
        default: ; // no point, or a mistake of the umpire
      endcase
    end
    // a new game starts at love
    if (games_a_next != games_a || games_b_next != games_b) begin
      points_a_next = '0;
      points_b_next = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{points_a, points_b}} <= '0;
      {{games_a, games_b}} <= '0;
    end else if (new_set) begin
      {{points_a, points_b}} <= '0;
      {{games_a, games_b}} <= '0;
    end else begin
      points_a <= points_a_next;
      points_b <= points_b_next;
      games_a <= games_a_next;
      games_b <= games_b_next;
    end
  end
"""
    body = (together, apart, nexts)[variant]

    def reset(s: State) -> None:
        s.points, s.games = [0, 0], [0, 0]

    def step(s: State, i: Pins) -> Outputs:
        over = any(
            mine == games + 1 or (mine == games and theirs < games - 1) for mine, theirs in (s.games, s.games[::-1])
        )
        out = {
            "points_a": s.points[0],
            "points_b": s.points[1],
            "games_a": s.games[0],
            "games_b": s.games[1],
            "set_over": int(over),
        }
        if i.new_set:
            s.points, s.games = [0, 0], [0, 0]
        elif not over and i.score_a != i.score_b:
            me = 0 if i.score_a else 1
            mine, theirs = s.points[me], s.points[1 - me]
            if (mine == 3 and (sudden or theirs < 3)) or mine == 4:
                s.points = [0, 0]
                s.games[me] += 1
            elif theirs == 4:
                s.points[1 - me] = 3
            else:
                s.points[me] += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "skill") or s.points == [0, 0]:
            s.skill = r.choice((0.5, 0.5, 0.8, 0.2))
        return {"score_a": int(r.random() < s.skill), "score_b": int(r.random() < 1 - s.skill)}

    level = (
        "with 3 points a player wins the game by the next one, whatever the other has"
        if sudden
        else "with 3 points against fewer than 3 a player wins the game by the next one; with 3 against 3 the next"
        " point is an advantage (4 points), from which the same player wins, and the other one takes it back to 3"
    )
    return Draft(
        rtl=f"""
module tennis_score (
  input logic clk,
  input logic rst,
  input logic new_set,
  input logic score_a, // a point for player A
  input logic score_b,
  output logic [2:0] points_a, // 0, 15, 30, 40{"" if sudden else ", advantage"}
  output logic [2:0] points_b,
  output logic [{gbits - 1}:0] games_a,
  output logic [{gbits - 1}:0] games_b,
  output logic set_over
);
  localparam int GAMES = {games};
  logic wins_a, wins_b; // would win the game by the next point
  {margin}
  assign wins_a = {wins};
  assign wins_b = {other};

  // {games} games with two more than the other, or {games + 1}
  assign set_over = (games_a == GAMES && games_b < GAMES - 1) || (games_b == GAMES && games_a < GAMES - 1)
    || (games_a == GAMES + 1) || (games_b == GAMES + 1);
  {body}
endmodule
""",
        about=f"""Counts a set of tennis. A cycle with `score_a` or `score_b`, but not both, is a point. Points in a
            game are
            0 to {3 if sudden else 4}: {level}. A won game is counted in `games_a` or `games_b`, and both have 0
            points again.
            `set_over` is high when a player has {games} games and the other one fewer than {games - 1}, or one has
            {games + 1}; then points are ignored. `new_set` zeroes all, as the reset, and goes before points.""",
        model=Machine(reset, step),
        names=("scoreboard", "tennis_counter", "score_keeper"),
        stimulus={"new_set": lambda r: int(r.random() < 0.006)},
        drive=drive,
        cycles=300,
    )


@family(variants=3)
def quiz_buzzer(r: Random, variant: int) -> Draft:
    """Finds out who pressed first, and shuts the others out."""
    count = r.choice((3, 4, 6))
    bits = (count - 1).bit_length()
    limit = r.choice((6, 8, 10))
    tbits = limit.bit_length()
    up = r.random() < 0.6
    order = list(range(count)) if up else list(range(count))[::-1]
    chain = "\n".join(f"    {'else ' if n else ''}if (able[{k}]) first = {bits}'d{k};" for n, k in enumerate(order))
    loop = "for (int i = PLAYERS - 1; i >= 0; i--)" if up else "for (int i = 0; i < PLAYERS; i++)"
    chosen = f"""
  // of several in one cycle the {"lowest" if up else "highest"} one
  always_comb begin
    first = '0;
{chain}
  end
"""
    looped = f"""
  // the last match in the loop wins
  always_comb begin
    first = '0;
    {loop} begin
      if (able[i]) first = i;
    end
  end
"""
    process = """
  always_ff @(posedge clk) begin
    if (rst) begin
      answering <= 1'b0;
      winner <= '0;
      timer <= '0;
      locked <= '0;
    end else if (next_question) begin
      answering <= 1'b0;
      locked <= '0;
    end else if (answering) begin
      timer <= timer - 1'b1;
      if (wrong || timer == 1) begin
        answering <= 1'b0;
        locked[winner] <= 1'b1; // one try for each
      end
    end else if (able != 0) begin
      answering <= 1'b1;
      winner <= first;
      timer <= LIMIT;
    end
  end
"""
    split = """
  logic begins, ends;

  assign begins = !answering && (|able);
  assign ends = answering && (wrong || (timer == LIMIT - 1));

  always_ff @(posedge clk) begin
    if (rst) answering <= 1'b0;
    else if (next_question) answering <= 1'b0;
    else answering <= begins || (answering && !ends);
  end

  always_ff @(posedge clk) begin
    if (rst) winner <= '0;
    else if (begins && !next_question) winner <= first;
  end

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else timer <= answering ? timer + 1'b1 : '0;
  end

  for (genvar k = 0; k < PLAYERS; k++) begin : gen_player
    always_ff @(posedge clk) begin
      if (rst) locked[k] <= 1'b0;
      else if (next_question) locked[k] <= 1'b0;
      else if (ends && winner == k) locked[k] <= 1'b1;
    end
  end
"""
    body = (chosen + process, looped + process, looped + split)[variant]

    def reset(s: State) -> None:
        s.on = s.winner = s.timer = s.locked = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"answering": s.on, "winner": s.winner, "locked": s.locked}
        able = i.buttons & ~s.locked
        if i.next_question:
            s.on = s.locked = 0
        elif s.on:
            s.timer -= 1
            if i.wrong or s.timer == 0:
                s.on = 0
                s.locked |= 1 << s.winner
        elif able:
            s.on, s.timer = 1, limit
            s.winner = next(k for k in order if able >> k & 1)
        return out

    return Draft(
        rtl=f"""
module quiz_buzzer #(
  parameter int PLAYERS = {count},
  parameter int LIMIT = {limit} // cycles for an answer
) (
  input logic clk,
  input logic rst,
  input logic next_question,
  input logic wrong,
  input logic [PLAYERS-1:0] buttons,
  output logic answering,
  output logic [{bits - 1}:0] winner,
  output logic [PLAYERS-1:0] locked // have had their try
);
  logic [PLAYERS-1:0] able;
  logic [{bits - 1}:0] first;
  logic [{tbits - 1}:0] timer;

  assign able = buttons & ~locked;
  {body}
endmodule
""",
        about=f"""Buzzer of a quiz with {count} players. While nobody is `answering`, a button of a player who is not
            `locked`
            makes that one the `winner` and `answering` rise with the next edge; of several the {
            "lowest" if up else "highest"
        } number
            comes first. `wrong` ends the answer, and its {limit}th cycle does so too; the winner is locked then and the
            others may try. `next_question` goes before all that: nobody answers and nobody is locked. `winner` stays
            until
            the next one (0 after reset).""",
        model=Machine(reset, step),
        names=("first_to_press", "game_show_buzzer", "quiz_lockout"),
        stimulus={
            "buttons": lambda r: r.getrandbits(count) & r.getrandbits(count) & r.getrandbits(count),
            "wrong": 0.12,
            "next_question": 0.03,
        },
        cycles=200,
    )
