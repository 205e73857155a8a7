"""What keeps account of places: which was used last, which is open, which is free, how often each came."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def lru_tracker(r: Random, variant: int) -> Draft:
    """Knows which of several ways has not been used for the longest time."""
    ways = r.choice((3, 4, 5))
    bits = (ways - 1).bit_length()
    locks = r.random() < 0.5
    other = " && !lock[j]" if locks else ""
    initial = "".join("1" if i > j else "0" for i in reversed(range(ways)) for j in reversed(range(ways)))
    matrix = f"""
  // bit i*WAYS+j says that way i was used after way j
  logic [WAYS*WAYS-1:0] newer;
  logic [WAYS-1:0] oldest;

  always_ff @(posedge clk) begin
    if (rst) begin
      newer <= {ways * ways}'b{initial};
    end else if (touch) begin
      for (int k = 0; k < WAYS; k++) newer[k*WAYS + way] <= 1'b0;
      for (int k = 0; k < WAYS; k++) begin
        if (k != way) newer[way*WAYS + k] <= 1'b1;
      end
    end
  end

  // the oldest one was used after none of the others
  always_comb begin
    victim = '0;
    for (int i = 0; i < WAYS; i++) begin
      oldest[i] = {"!lock[i]" if locks else "1'b1"};
      for (int j = 0; j < WAYS; j++) begin
        if (newer[i*WAYS + j]{other}) oldest[i] = 1'b0;
      end
      if (oldest[i]) victim = i;
    end
  end
"""
    choose_age = (
        """
  logic found;
  logic [BITS-1:0] best;

  // the highest age among those that may go
  always_comb begin
    victim = '0;
    best = '0;
    found = 1'b0;
    for (int i = 0; i < WAYS; i++) begin
      if (!lock[i] && (!found || age[i] > best)) begin
        victim = i;
        best = age[i];
        found = 1'b1;
      end
    end
  end
"""
        if locks
        else """
  always_comb begin
    victim = '0;
    for (int i = 0; i < WAYS; i++) begin
      if (age[i] == WAYS - 1) victim = i;
    end
  end
"""
    )
    ages = f"""
  logic [BITS-1:0] age [0:WAYS-1]; // 0: used last

  // those that were younger than the touched way grow older by one
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < WAYS; k++) age[k] <= WAYS - 1 - k;
    end else if (touch) begin
      for (int k = 0; k < WAYS; k++) begin
        if (k == way) age[k] <= '0;
        else if (age[k] < age[way]) age[k] <= age[k] + 1'b1;
      end
    end
  end
{choose_age}"""
    choose_order = (
        """
  always_comb begin
    victim = '0;
    for (int i = 0; i < WAYS; i++) begin
      if (!lock[order[i]]) victim = order[i];
    end
  end
"""
        if locks
        else "  assign victim = order[WAYS-1];\n"
    )
    listed = f"""
  logic [BITS-1:0] order [0:WAYS-1]; // from the newest to the oldest
  logic [WAYS-1:0] moves;

  // the touched way goes to the front, and those that stood before it move back
  always_comb begin
    moves[0] = 1'b1;
    for (int k = 1; k < WAYS; k++) moves[k] = moves[k-1] && (order[k-1] != way);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < WAYS; k++) order[k] <= WAYS - 1 - k;
    end else if (touch) begin
      order[0] <= way;
      for (int k = 1; k < WAYS; k++) begin
        if (moves[k]) order[k] <= order[k-1];
      end
    end
  end
{choose_order}"""
    body = (matrix, ages, listed)[variant]

    def reset(s: State) -> None:
        s.order = list(range(ways))

    def step(s: State, i: Pins) -> Outputs:
        free = [k for k in s.order if not (locks and i.lock >> k & 1)]
        out = {"victim": free[0] if free else 0}
        if locks:
            out["none"] = int(not free)
        if i.touch:
            s.order.remove(i.way)
            s.order.append(i.way)
        return out

    lock_ports = "\n  input logic [WAYS-1:0] lock, // these ways must stay\n  output logic none, // all must"
    ports = lock_ports if locks else ""
    return Draft(
        rtl=f"""
module lru_tracker #(
  parameter int WAYS = {ways}
) (
  input logic clk,
  input logic rst,
  input logic touch,
  input logic [{bits - 1}:0] way, // the one that is used{ports}
  output logic [{bits - 1}:0] victim
);
{f"  localparam int BITS = {bits};" if variant else ""}
{"  assign none = &lock;" if locks else ""}
{body}endmodule
""",
        about=(
            f"""Least-recently-used order of {ways} ways. `touch` makes `way` the one used last. `victim` shows the way
            that has not been used for the longest time{
                " among those whose bit of `lock` is 0; if all are locked it is 0 and `none` is high" if locks else ""
            }. After reset way 0 counts as the oldest and way {ways - 1} as the newest. `victim` follows the stored
            order without delay; a touch shows from the next cycle on.""",
            f"""True LRU for a set of {ways} ways: at every `touch` the `way` becomes the newest; `victim` is the oldest
            {"unlocked " if locks else ""}one (initial order, oldest first: 0 to {ways - 1}).{
                " With all bits of `lock` set `none` is high and `victim` 0." if locks else ""
            }""",
        ),
        model=Machine(reset, step),
        names=("lru_order", "true_lru", "replacement_order", "victim_finder"),
        stimulus={
            "touch": 0.7,
            "way": lambda r: r.randrange(ways),
            "lock": lambda r: r.getrandbits(ways) & r.getrandbits(ways) if r.random() < 0.9 else (1 << ways) - 1,
        },
        cycles=120,
    )


@family(variants=3)
def tree_plru(r: Random, variant: int) -> Draft:
    """A tree of bits points to a way that was not used lately."""
    levels = 2 if variant == 1 else r.choice((2, 2, 3))
    ways, nodes = 1 << levels, (1 << levels) - 1
    set_bits = r.choice((0, 1, 2))
    points = r.random() < 0.6
    """Whether a bit points to the older half; else to the one used last."""
    sign, toward = ("~", "") if points else ("", "~")
    fills = r.random() < 0.4
    sets = 1 << set_bits
    set_port = f"\n  input logic [{set_bits - 1}:0] set," if set_bits else ""
    looped = f"""
  logic [LEVELS:0] node, leaf;

  // from the root down: below node n are nodes 2n and 2n+1
  always_comb begin
    tree_next = tree;
    node = 1;
    for (int k = LEVELS - 1; k >= 0; k--) begin
      tree_next[node] = {sign}way[k];
      node = {{node[LEVELS-1:0], way[k]}};
    end
  end

  always_comb begin
    leaf = 1;
    for (int k = 0; k < LEVELS; k++) leaf = {{leaf[LEVELS-1:0], {toward}tree[leaf]}};
    oldest = leaf[LEVELS-1:0];
  end
"""
    written = f"""
  // one bit chooses between the halves, and one in each half between its two ways
  always_comb begin
    tree_next = tree;
    case (way)
      2'd0: begin
        tree_next[1] = 1'b{int(points)};
        tree_next[2] = 1'b{int(points)};
      end
      2'd1: begin
        tree_next[1] = 1'b{int(points)};
        tree_next[2] = 1'b{int(not points)};
      end
      2'd2: begin
        tree_next[1] = 1'b{int(not points)};
        tree_next[3] = 1'b{int(points)};
      end
      2'd3: begin
        tree_next[1] = 1'b{int(not points)};
        tree_next[3] = 1'b{int(not points)};
      end
      default: tree_next = tree;
    endcase
  end

  assign oldest[1] = {toward}tree[1];
  assign oldest[0] = oldest[1] ? {toward}tree[3] : {toward}tree[2];
"""
    on_path = "\n".join(
        f"    if ({f'way[{levels - 1}:{levels - depth}] == {n - (1 << depth)}' if depth else '1'})"
        f" tree_next[{n}] = {sign}way[{levels - 1 - depth}];"
        for n in range(2, ways)
        for depth in [n.bit_length() - 1]
    )
    if levels == 3:
        down = f"""  logic root, second, third;

  assign root = {toward}tree[1];
  assign second = {toward}(root ? tree[3] : tree[2]);

  always_comb begin
    case ({{root, second}})
      2'b00: third = {toward}tree[4];
      2'b01: third = {toward}tree[5];
      2'b10: third = {toward}tree[6];
      default: third = {toward}tree[7];
    endcase
  end

  assign oldest = {{root, second, third}};"""
    else:
        down = f"""  logic root;

  assign root = {toward}tree[1];
  assign oldest = {{root, {toward}(root ? tree[3] : tree[2])}};"""
    unrolled = f"""
  // only the bits on the way to the leaf change
  always_comb begin
    tree_next = tree;
    tree_next[1] = {sign}way[{levels - 1}];
{on_path}
  end

{down}
"""
    body = (looped, written, unrolled)[variant]
    if set_bits:
        store = """
  logic [WAYS-1:1] trees [0:SETS-1];

  assign tree = trees[set];

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < SETS; k++) trees[k] <= '0;
    end else if (touch) begin
      trees[set] <= tree_next;
    end
  end
"""
    else:
        store = """
  always_ff @(posedge clk) begin
    if (rst) tree <= '0;
    else if (touch) tree <= tree_next;
  end
"""
    pick = (
        """
  // a way that holds nothing goes first, the lowest one
  always_comb begin
    victim = oldest;
    for (int k = WAYS - 1; k >= 0; k--) begin
      if (!valid[k]) victim = k;
    end
  end
"""
        if fills
        else "  assign victim = oldest;\n"
    )
    valid_port = "\n  input logic [WAYS-1:0] valid, // ways that hold something" if fills else ""

    def reset(s: State) -> None:
        s.trees = [[0] * ways for _ in range(sets)]

    def step(s: State, i: Pins) -> Outputs:
        tree = s.trees[i.set if set_bits else 0]
        node = 1
        for _ in range(levels):
            node = 2 * node + (tree[node] ^ (not points))
        victim = node - ways
        if fills:
            victim = next((k for k in range(ways) if not i.valid >> k & 1), victim)
        if i.touch:
            node = 1
            for k in reversed(range(levels)):
                bit = i.way >> k & 1
                tree[node] = bit ^ points
                node = 2 * node + bit
        return {"victim": victim}

    sets_constant = f"  localparam int SETS = {sets};\n" if set_bits else ""
    levels_constant = f"  localparam int LEVELS = {levels};\n" if variant == 0 else ""
    meaning = (
        "0 points to the lower half and 1 to the upper one: to the half that holds the victim"
        if points
        else "0 says that the lower half was used last, 1 the upper one, and the victim is in the other"
    )
    return Draft(
        rtl=f"""
module tree_plru (
  input logic clk,
  input logic rst,
  input logic touch,{set_port}
  input logic [{levels - 1}:0] way,{valid_port}
  output logic [{levels - 1}:0] victim
);
  localparam int WAYS = {ways};
{sets_constant}{levels_constant}  logic [WAYS-1:1] tree, tree_next;
  logic [{levels - 1}:0] oldest;
{body}{store}
{pick}endmodule
""",
        about=f"""Pseudo-LRU of {ways} ways{f" in each of {sets} sets" if set_bits else ""} by a binary tree of {nodes}
            bits, all 0 after reset. Each bit chooses between two halves of the ways below it; {meaning}. `touch` makes
            the bits on the path from the root to `way`{" in set `set`" if set_bits else ""} tell of its use.
            `victim` is the way that is found from the root down{" in that set" if set_bits else ""}, without delay and
            from the bits as they are before the touch.{
            " While a bit of `valid` is 0, the lowest such way is the victim instead." if fills else ""
        }""",
        model=Machine(reset, step),
        names=("plru_tree", "pseudo_lru", "victim_tree", "plru_bits"),
        stimulus={"touch": 0.75, "valid": lambda r: r.getrandbits(ways) if r.random() < 0.3 else (1 << ways) - 1},
        cycles=120,
    )


@family(variants=2)
def linked_queues(r: Random, variant: int) -> Draft:
    """Queues that share all slots of one memory by linked lists."""
    width, bits, count = r.choice((4, 8)), r.choice((2, 3)), r.choice((2, 3, 4))
    slots = 1 << bits
    sel_bits = (count - 1).bit_length()
    shared = r.random() < 0.5
    free_list = """
  logic [ADDR-1:0] free_head, free_tail;

  assign slot = free_head;

  // free slots form a list too: the first is taken, and what becomes free goes to its end
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < SLOTS; k++) link[k] <= k + 1;
      free_head <= '0;
      free_tail <= SLOTS - 1;
    end else begin
      if (do_push) begin
        free_head <= (free_count == 1 && do_pop) ? head[pop_sel] : link[free_head];
        if (!empty[push_sel]) link[tail[push_sel]] <= slot;
      end
      if (do_pop) begin
        free_tail <= head[pop_sel];
        if (free_count == 0) free_head <= head[pop_sel];
        else link[free_tail] <= head[pop_sel];
      end
    end
  end
"""
    bitmap = """
  logic [SLOTS-1:0] used;

  // the lowest free slot is the next one to be taken
  always_comb begin
    slot = '0;
    for (int k = SLOTS - 1; k >= 0; k--) begin
      if (!used[k]) slot = k;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      used <= '0;
    end else begin
      if (do_push) used[slot] <= 1'b1;
      if (do_pop) used[head[pop_sel]] <= 1'b0;
    end
  end

  // the slot behind the old tail is known when it is filled
  always_ff @(posedge clk) begin
    if (do_push && !empty[push_sel]) link[tail[push_sel]] <= slot;
  end
"""
    body = (free_list, bitmap)[variant]

    def reset(s: State) -> None:
        s.queues = [[] for _ in range(count)]

    def step(s: State, i: Pins) -> Outputs:
        used = sum(map(len, s.queues))
        source = s.queues[i.pop_sel]
        out = {
            "full": int(used == slots),
            "empty": sum(1 << q for q, queue in enumerate(s.queues) if not queue),
            "dout": source[0] if source else None,
        }
        if shared:
            out["free_count"] = slots - used
        if i.pop and source:
            source.pop(0)
        if i.push and used < slots:
            s.queues[i.push_sel].append(i.din)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.filling = getattr(s, "filling", 1) ^ (r.random() < 0.06)
        return {"push": int(r.random() < 0.85 - 0.5 * (1 - s.filling)), "pop": int(r.random() < 0.8 - 0.4 * s.filling)}

    port = ",\n  output logic [ADDR:0] free_count // slots that are left" if shared else ""
    own = "" if shared else "  logic [ADDR:0] free_count;\n"
    return Draft(
        rtl=f"""
module linked_queues #(
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
  output logic full, // no slot is left for any queue
  output logic [QUEUES-1:0] empty{port}
);
  localparam int SLOTS = 1 << ADDR;
  logic [WIDTH-1:0] mem [0:SLOTS-1];
  logic [ADDR-1:0] link [0:SLOTS-1]; // the slot behind each
  logic [ADDR-1:0] head [0:QUEUES-1];
  logic [ADDR-1:0] tail [0:QUEUES-1];
  logic [ADDR-1:0] slot; // for the next word
  logic do_push, do_pop;
{own}
  assign do_push = push && !full;
  assign do_pop = pop && !empty[pop_sel];
  assign full = (free_count == 0);
  assign dout = mem[head[pop_sel]];

  always_ff @(posedge clk) begin
    if (rst) free_count <= SLOTS;
    else free_count <= free_count - do_push + do_pop;
  end
{body}
  always_ff @(posedge clk) begin
    if (do_push) mem[slot] <= din;
  end

  // a queue whose only word leaves while another one comes goes on with the new slot
  always_ff @(posedge clk) begin
    if (rst) begin
      empty <= {{QUEUES{{1'b1}}}};
    end else begin
      if (do_pop) begin
        head[pop_sel] <= link[head[pop_sel]];
        if (head[pop_sel] == tail[pop_sel]) empty[pop_sel] <= 1'b1;
      end
      if (do_push) begin
        tail[push_sel] <= slot;
        empty[push_sel] <= 1'b0;
        if (empty[push_sel]) head[push_sel] <= slot;
        else if (do_pop && pop_sel == push_sel && head[push_sel] == tail[push_sel]) head[push_sel] <= slot;
      end
    end
  end
endmodule
""",
        about=(
            f"""{count} FIFOs that share {slots} slots of {width} bits. Each is a linked list: a head, a tail, and for
            each slot the number of the slot behind it. `push` puts `din` into a free slot and appends it to queue
            `push_sel`, unless no slot is free (`full`); `pop` removes the first word of queue `pop_sel`, which `dout`
            shows, unless that queue is `empty` (a bit for each). Both may happen at once; the slot that is popped is
            free from the next cycle on.{" `free_count` is the number of free slots." if shared else ""} {
                "A bit for each slot says whether it is in use; the lowest free one is taken."
                if variant
                else "Free slots are kept in a list of the same kind."
            }""",
            f"""Shared-memory queues: {count} queues, {slots} slots altogether, any of which may belong to any queue.
            A push is refused only while `full`, a pop only while its bit of `empty` is set. First in, first out in each
            queue; `dout` is the head of queue `pop_sel` at once.{
                " `free_count` tells how many slots are left." if shared else ""
            } {"The lowest free slot is used next." if variant else "Free slots form a linked list themselves."}""",
        ),
        model=Machine(reset, step),
        names=("shared_queues", "list_memory", "buffer_manager", "linked_list_fifo"),
        stimulus={"push_sel": lambda r: r.randrange(count), "pop_sel": lambda r: r.randrange(count)},
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def bank_tracker(r: Random, variant: int) -> Draft:
    """Which row is open in each bank of a DRAM, and whether an access hits it."""
    bank_bits, row_bits = r.choice((1, 2)), r.choice((3, 4, 6))
    limit = r.choice((5, 6, 8))
    banks = 1 << bank_bits
    tick_bits = limit.bit_length()
    stale = r.random() < 0.6
    arrays = """
  always_ff @(posedge clk) begin
    if (rst) begin
      open <= '0;
    end else if (precharge) begin
      if (all_banks) open <= '0;
      else open[bank] <= 1'b0;
    end else if (activate) begin
      open[bank] <= 1'b1;
      rows[bank] <= row;
    end
  end

  assign hit = open[bank] && (rows[bank] == row);
  assign conflict = open[bank] && (rows[bank] != row);
"""
    generated = """
  logic [BANKS-1:0] same_row, chosen;

  assign chosen = 1 << bank;

  for (genvar b = 0; b < BANKS; b++) begin : gen_bank
    always_ff @(posedge clk) begin
      if (rst) open[b] <= 1'b0;
      else if (precharge && (all_banks || chosen[b])) open[b] <= 1'b0;
      else if (activate && !precharge && chosen[b]) open[b] <= 1'b1;
    end

    always_ff @(posedge clk) begin
      if (activate && !precharge && chosen[b]) rows[b] <= row;
    end

    assign same_row[b] = (rows[b] == row);
  end

  assign hit = |(chosen & open & same_row);
  assign conflict = |(chosen & open & ~same_row);
"""
    ages = (
        f"""
  logic [{tick_bits - 1}:0] idle_count [0:BANKS-1];

  // an open bank that nobody has used for some time had better be closed
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < BANKS; k++) idle_count[k] <= '0;
    end else begin
      for (int k = 0; k < BANKS; k++) begin
        if (!open[k]) idle_count[k] <= '0;
        else if (access && hit && bank == k) idle_count[k] <= '0;
        else if (idle_count[k] != LIMIT) idle_count[k] <= idle_count[k] + 1'b1;
      end
    end
  end

  always_comb begin
    for (int k = 0; k < BANKS; k++) stale[k] = open[k] && (idle_count[k] == LIMIT);
  end
""",
        f"""
  for (genvar b = 0; b < BANKS; b++) begin : gen_age
    logic [{tick_bits - 1}:0] idle_count;

    // starts again with each hit, and stops at the limit
    always_ff @(posedge clk) begin
      if (rst) idle_count <= '0;
      else if (!open[b] || (access && hit && chosen[b])) idle_count <= '0;
      else if (idle_count < LIMIT) idle_count <= idle_count + 1'b1;
    end

    assign stale[b] = open[b] & (idle_count == LIMIT);
  end
""",
    )[variant]
    body = (arrays, generated)[variant] + (ages if stale else "")

    def reset(s: State) -> None:
        s.open, s.rows, s.idle = [0] * banks, [0] * banks, [0] * banks

    def step(s: State, i: Pins) -> Outputs:
        opened, same = s.open[i.bank], s.rows[i.bank] == i.row
        out = {
            "hit": int(opened and same),
            "conflict": int(opened and not same),
            "closed": int(not opened),
            "all_closed": int(not any(s.open)),
        }
        if stale:
            out["stale"] = sum(1 << b for b in range(banks) if s.open[b] and s.idle[b] == limit)
            for b in range(banks):
                if not s.open[b] or (i.access and b == i.bank and out["hit"]):
                    s.idle[b] = 0
                else:
                    s.idle[b] = min(s.idle[b] + 1, limit)
        if i.precharge:
            for b in range(banks):
                if i.all_banks or b == i.bank:
                    s.open[b] = 0
        elif i.activate:
            s.open[i.bank], s.rows[i.bank] = 1, i.row
        return out

    few = [r.randrange(1 << row_bits) for _ in range(2)]
    stale_ports = "\n  input logic access, // a read or write of the row" if stale else ""
    stale_out = ",\n  output logic [BANKS-1:0] stale // open, but not used lately" if stale else ""
    stale_said = (
        f""" `stale` has a bit for each bank, which is set when it has been open for {limit} cycles without an `access`
            that is a hit in it: its count is 0 while it is closed, begins again with such an access, and else goes up
            to
            {limit}."""
        if stale
        else ""
    )
    return Draft(
        rtl=f"""
module bank_tracker #(
  parameter int BANK = {bank_bits},
  parameter int ROW = {row_bits}{f",{chr(10)}  parameter int LIMIT = {limit}" if stale else ""}
) (
  input logic clk,
  input logic rst,
  input logic activate, // opens the row
  input logic precharge, // closes the bank, and goes before opening
  input logic all_banks,{stale_ports}
  input logic [BANK-1:0] bank,
  input logic [ROW-1:0] row,
  output logic hit,
  output logic conflict,
  output logic closed,
  output logic all_closed{stale_out}
);
  localparam int BANKS = 1 << BANK;
  logic [BANKS-1:0] open;
  logic [ROW-1:0] rows [0:BANKS-1];
{body}
  assign closed = !open[bank];
  assign all_closed = (open == 0);
endmodule
""",
        about=f"""Row state of a DRAM with {banks} banks, all closed after reset. `activate` opens `row` in `bank`
        (also in
            place of another one), `precharge` closes `bank`, or with `all_banks` every bank, and goes before
            `activate`.
            For `bank` and `row` as they are, without delay: `hit` says that this row is open, `conflict` that another
            row of the bank is, `closed` that none is. `all_closed` says that no bank is open.{stale_said}""",
        model=Machine(reset, step),
        names=("row_tracker", "dram_bank_state", "open_row_table", "page_table"),
        stimulus={"activate": 0.35, "precharge": 0.07, "all_banks": 0.3, "access": 0.35, "row": few},
        cycles=200,
    )


@family(variants=3)
def histogram_memory(r: Random, variant: int) -> Draft:
    """Counts how often each value comes."""
    width, bits = r.choice((3, 4)), r.choice((2, 3))
    bins, top = 1 << bits, (1 << width) - 1
    saturates = r.random() < 0.6
    more = "({w} == TOP) ? TOP : {w} + 1'b1" if saturates else "{w} + 1'b1"
    late = variant != 1
    forwarded = f"""
  logic [ADDR-1:0] bin_prev;
  logic valid_prev;
  logic [WIDTH-1:0] word, more;

  // first a count is fetched, a cycle later it goes back with one more
  assign more = {more.format(w="word")};

  always_ff @(posedge clk) begin
    if (rst) valid_prev <= 1'b0;
    else valid_prev <= valid && !busy;
  end

  // the same value twice in a row finds the new count on its way
  always_ff @(posedge clk) begin
    bin_prev <= bin;
    word <= (valid_prev && bin_prev == bin) ? more : mem[bin];
  end

  always_ff @(posedge clk) begin
    if (busy) mem[sweep] <= '0;
    else if (valid_prev) mem[bin_prev] <= more;
  end
"""
    direct = f"""
  logic [WIDTH-1:0] word;

  assign word = mem[bin];

  always_ff @(posedge clk) begin
    if (busy) mem[sweep] <= '0;
    else if (valid) mem[bin] <= {more.format(w="word")};
  end
"""
    one_place = f"""
  logic [ADDR-1:0] bin_prev, wr_place;
  logic valid_prev, wr;
  logic [WIDTH-1:0] wr_word, word;

  // counts a cycle late, where the word comes from a flip-flop
  always_ff @(posedge clk) begin
    if (rst) begin
      valid_prev <= 1'b0;
      bin_prev <= '0;
    end else begin
      valid_prev <= valid & ~busy;
      bin_prev <= bin;
    end
  end

  assign word = mem[bin_prev];

  always_comb begin
    wr = valid_prev;
    wr_place = bin_prev;
    wr_word = {more.format(w="word")};
    if (busy) begin
      wr = 1'b1;
      wr_place = sweep;
      wr_word = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (wr) mem[wr_place] <= wr_word;
  end
"""
    body = (forwarded, direct, one_place)[variant]

    def reset(s: State) -> None:
        s.mem, s.busy, s.sweep, s.waiting = [0] * bins, 1, 0, None

    def step(s: State, i: Pins) -> Outputs:
        out = {"busy": s.busy, "count": 0 if s.busy else s.mem[i.rd_bin]}
        target = s.waiting if late else (i.bin if i.valid else None)
        if s.busy:
            s.mem[s.sweep] = 0
            target = None
        s.waiting = i.bin if i.valid and not s.busy else None
        if target is not None:
            value = s.mem[target] + 1
            s.mem[target] = min(value, top) if saturates else value & top
        if s.busy:
            s.sweep = (s.sweep + 1) % bins
            s.busy = int(s.sweep != 0)
        elif i.clear:
            s.busy, s.sweep = 1, 0
        return out

    few = [r.randrange(bins) for _ in range(2)]
    return Draft(
        rtl=f"""
module histogram_memory #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic valid,
  input logic [ADDR-1:0] bin,
  input logic [ADDR-1:0] rd_bin,
  output logic [WIDTH-1:0] count, // of `rd_bin`
  output logic busy // the counts are being cleared
);
{"  localparam int TOP = (1 << WIDTH) - 1;" if saturates else ""}
  logic [WIDTH-1:0] mem [0:(1<<ADDR)-1];
  logic [ADDR-1:0] sweep;

  // goes through all places after reset and after each `clear`
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b1;
      sweep <= '0;
    end else if (busy) begin
      sweep <= sweep + 1'b1;
      if (&sweep) busy <= 1'b0;
    end else if (clear) begin
      busy <= 1'b1;
    end
  end
{body}
  assign count = busy ? '0 : mem[rd_bin];
endmodule
""",
        about=(
            f"""Histogram of {bins} bins with counts of {width} bits, which {
                f"stop at {top}" if saturates else "wrap around"
            }. Each cycle with `valid` adds one to the count of `bin`{
                ", one cycle later: the bin is registered first, and equal bins in a row all count" if late else ""
            }. After reset and after `clear` the counts are cleared one place a cycle, from 0 up; meanwhile `busy`
            is high, `valid` and `clear` are ignored{
                " (and what is on its way when it begins is lost)" if late else ""
            } and `count` is 0. Otherwise `count` shows the count of `rd_bin` without
            delay.""",
        ),
        model=Machine(reset, step),
        names=("histogram", "bin_counter", "value_statistics", "occurrence_counts"),
        stimulus={
            "valid": 0.85,
            "clear": 0.012,
            "bin": lambda r: r.choice(few) if r.random() < 0.6 else r.randrange(bins),
            "rd_bin": lambda r: r.choice(few) if r.random() < 0.6 else r.randrange(bins),
        },
        cycles=220,
    )
