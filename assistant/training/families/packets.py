"""Packets: what is done to streams of bytes that come in pieces with a beginning and an end."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def header_parser(r: Random, variant: int) -> Draft:
    """Takes the fields out of the first bytes, and lets the rest through."""
    sizes = {"dest": 1, "source": 1, "kind": 1, "length": 2}
    names = r.sample(tuple(sizes), r.choice((3, 4)))
    if "dest" not in names:
        names[0] = "dest"
    big = r.random() < 0.6
    filtered = r.random() < 0.6
    station, everyone = r.choice(((0x2A, 0xFF), (0x11, 0x00), (0x5C, 0xF0)))
    layout: list[tuple[str, int]] = []  # which byte of which field comes when
    for name in names:
        order = range(sizes[name] - 1, -1, -1) if big else range(sizes[name])
        layout += [(name, part) for part in order]
    total = len(layout)
    wide = {name: 8 * sizes[name] for name in names}

    def target(name: str, part: int) -> str:
        return name if sizes[name] == 1 else f"{name}[{8 * part + 7}:{8 * part}]"

    ports = "\n".join(f"  output logic [{wide[name] - 1}:0] {name}," for name in names)
    clear = "\n".join(f"      {name} <= '0;" for name in names)
    arms = "\n".join(f"          3'd{k}: {target(*one)} <= data;" for k, one in enumerate(layout))
    wanted = "dest == STATION || dest == EVERYONE" if filtered else "1'b1"
    gate = f" && ({wanted})" if filtered else ""
    cased = f"""
  logic [2:0] place; // of the next byte; stops behind the header
  logic in_header;

  assign in_header = (place != HEADER);

  always_ff @(posedge clk) begin
    if (rst) begin
      place <= 3'd0;
{clear}
    end else if (valid) begin
      if (in_header) begin
        case (place)
{arms}
          default: ;
        endcase
      end
      if (last) place <= 3'd0;
      else if (in_header) place <= place + 3'd1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      header_valid <= 1'b0;
      payload_valid <= 1'b0;
      payload <= '0;
      error <= 1'b0;
    end else begin
      header_valid <= valid && !last && (place == HEADER - 1);
      payload_valid <= valid && !in_header{gate};
      payload <= data;
      error <= valid && last && in_header; // no byte behind the header
    end
  end
"""
    # the oldest byte stands highest in the shift register
    slices = []
    for name in names:
        spots = {part: 8 * (total - 1 - k) for k, (which, part) in enumerate(layout) if which == name}
        pieces = [f"shift[{spots[part] + 7}:{spots[part]}]" for part in sorted(spots, reverse=True)]
        slices.append(f"  assign {name} = {pieces[0] if len(pieces) == 1 else '{' + ', '.join(pieces) + '}'};")
    shifted = f"""
  logic [{8 * total - 1}:0] shift;
  logic [2:0] left; // header bytes that are still to come

  // the whole header moves through one shift register, its first byte to the top
{chr(10).join(slices)}

  always_ff @(posedge clk) begin
    if (rst) begin
      shift <= '0;
      left <= HEADER;
      header_valid <= 1'b0;
      payload_valid <= 1'b0;
      payload <= 8'h00;
      error <= 1'b0;
    end else begin
      header_valid <= 1'b0;
      payload_valid <= 1'b0;
      error <= 1'b0;
      payload <= data;
      if (valid) begin
        if (left == 0) begin
          payload_valid <= {wanted};
        end else begin
          shift <= {{shift[{8 * total - 9}:0], data}};
          left <= left - 1'b1;
          error <= last;
          header_valid <= (left == 1) && !last;
        end
        if (last) left <= HEADER;
      end
    end
  end
"""
    loads = "\n".join(f"      if (here[{k}]) {target(*one)} <= data;" for k, one in enumerate(layout))
    one_hot = f"""
  logic [HEADER:0] turn, here; // one bit for each byte of the header, the top one for all behind it

  assign here = valid ? turn : '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= 1;
    end else if (valid) begin
      if (last) turn <= 1;
      else if (!turn[HEADER]) turn <= turn << 1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
{clear}
    end else begin
{loads}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      header_valid <= 1'b0;
      payload_valid <= 1'b0;
      error <= 1'b0;
      payload <= '0;
    end else begin
      header_valid <= here[HEADER-1] & ~last;
      payload_valid <= here[HEADER]{" & (" + wanted + ")" if filtered else ""};
      error <= last & (|here[HEADER-1:0]);
      payload <= data;
    end
  end
"""
    body = (cased, shifted, one_hot)[variant]
    constants = (
        f"  localparam logic [7:0] STATION = 8'h{station:02x};\n"
        f"  localparam logic [7:0] EVERYONE = 8'h{everyone:02x};\n"
        if filtered
        else ""
    )

    def reset(s: State) -> None:
        s.place, s.known, s.fields, s.out = 0, False, dict.fromkeys(names, 0), (0, 0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        header, valid, data, error = s.out
        out: dict[str, int | None] = {name: s.fields[name] if s.known else None for name in names}
        out |= {
            "header_valid": header,
            "payload_valid": valid,
            "payload": data if valid else None,
            "error": error,
        }
        header = valid = error = 0
        if i.valid:
            if s.place < total:
                name, part = layout[s.place]
                s.fields[name] = s.fields[name] & ~(0xFF << 8 * part) | i.data << 8 * part
                error = i.last
                s.place += 1
                s.known = bool(s.place == total and not i.last)
                header = int(s.known)
            else:
                valid = int(not filtered or s.fields["dest"] in (station, everyone))
            if i.last:
                s.place = 0
        s.out = header, valid, i.data, error
        return out

    listing = ", ".join(f"`{name}`{' (two bytes)' if sizes[name] == 2 else ''}" for name in names)
    endian = f" `length` comes with its {'high' if big else 'low'} byte first." if "length" in names else ""
    rule = (
        f" only where `dest` is {station:02x} (this station) or {everyone:02x} (everyone), both hexadecimal"
        if filtered
        else ""
    )
    return Draft(
        rtl=f"""
module header_parser (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [7:0] data,
  input logic last,
{ports}
  output logic header_valid,
  output logic payload_valid,
  output logic [7:0] payload,
  output logic error
);
  localparam int HEADER = {total}; // bytes
{constants}  {body}
endmodule
""",
        about=f"""Takes packets apart. Bytes come in cycles with `valid`, and `last` marks the last one of a packet. The
            header is, in this order: {listing}.{endian} `header_valid` pulses in the cycle behind its last byte;
            the
            fields stand from then on up to the first byte of the next packet, and mean nothing at other times. Each
            byte
            behind the header appears on `payload` with `payload_valid` a cycle later{rule}. A packet that ends before a
            payload byte, which means within the header or with its last byte, gives `error` for the cycle behind its
            last byte, and no `header_valid`.""",
        model=Machine(reset, step),
        names=("packet_parser", "hdr_extract", "header_decoder", "packet_header"),
        stimulus={
            "valid": 0.85,
            "last": 0.09,
            "data": lambda r: r.choice((station, everyone, r.getrandbits(8), r.getrandbits(8))),
        },
        cycles=260,
    )


@family(variants=2)
def tag_inserter(r: Random, variant: int) -> Draft:
    """Puts a mark with a number into packets, behind their addresses."""
    place = r.choice((2, 3, 4, 6))
    extra = r.choice((2, 3))
    mark = r.choice((0x8100, 0x88A8, 0x9100, 0x0C5A))
    high_first = r.random() < 0.7
    bytes_ = [f"8'h{mark >> 8:02x}", f"8'h{mark & 255:02x}"][-extra + 1 :]
    values = [mark >> 8, mark & 255][-extra + 1 :]
    if not high_first:
        bytes_.reverse()
        values.reverse()
    arms = "\n".join(f"      2'd{k}: tag_byte = {one};" for k, one in enumerate(bytes_))
    chain = "".join(f"(sent == {k}) ? {one} : " for k, one in enumerate(bytes_))
    machine = f"""
  typedef enum logic [1:0] {{BEFORE, TAG, AFTER}} state_t;
  state_t state, state_next;
  logic [2:0] count; // bytes of the packet so far
  logic [1:0] sent; // bytes of the tag so far
  logic [7:0] tag_byte;

  always_comb begin
    case (sent)
{arms}
      default: tag_byte = tag_held;
    endcase
  end

  always_comb begin
    state_next = state;
    in_ready = out_ready;
    out_valid = in_valid;
    out_data = in_data;
    out_last = in_last;
    case (state)
      BEFORE: begin
        if (in_valid && out_ready && !in_last && count == PLACE - 1 && wanted) state_next = TAG;
      end
      TAG: begin
        in_ready = 1'b0;
        out_valid = 1'b1;
        out_data = tag_byte;
        out_last = 1'b0;
        if (out_ready && sent == EXTRA - 1) state_next = AFTER;
      end
      default: if (in_valid && out_ready && in_last) state_next = BEFORE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= BEFORE;
      count <= '0;
      sent <= '0;
    end else begin
      state <= state_next;
      // a packet that gets no tag stays in `BEFORE`, with its count at the top
      if (in_valid && in_ready) begin
        if (in_last) count <= '0;
        else if (count != 3'd7) count <= count + 1'b1;
      end
      if (state == TAG) begin
        if (out_ready) sent <= sent + 1'b1;
      end else begin
        sent <= '0;
      end
    end
  end
"""
    counters = f"""
  logic [2:0] count;
  logic [1:0] sent;
  logic due; // the tag is on its way
  logic taken;

  assign due = (count == PLACE) && (sent != EXTRA) && wanted;
  assign in_ready = out_ready && !due;
  assign taken = in_valid && in_ready;
  assign out_valid = in_valid || due;
  assign out_last = in_last && !due;
  assign out_data = !due ? in_data : {chain}tag_held;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= 3'd0;
      sent <= 2'd0;
    end else if (taken && in_last) begin
      count <= 3'd0;
      sent <= 2'd0;
    end else begin
      if (taken && count != PLACE + 1) count <= count + 3'd1;
      if (due && out_ready) sent <= sent + 2'd1;
    end
  end
"""
    held = """
  // the tag is that of the packet's first byte
  always_ff @(posedge clk) begin
    if (rst) begin
      wanted <= 1'b0;
      tag_held <= 8'h00;
    end else if (in_valid && in_ready && count == 0) begin
      wanted <= insert;
      tag_held <= tag;
    end
  end
"""
    body = (machine, counters)[variant] + held

    def reset(s: State) -> None:
        s.count, s.sent, s.wanted, s.tag = 0, extra, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        if s.sent < extra:
            data = values[s.sent] if s.sent < extra - 1 else s.tag
            if i.out_ready:
                s.sent += 1
            return {"in_ready": 0, "out_valid": 1, "out_data": data, "out_last": 0}
        out = {
            "in_ready": i.out_ready,
            "out_valid": i.in_valid,
            "out_data": i.in_data if i.in_valid else None,
            "out_last": i.in_last if i.in_valid else None,
        }
        if i.in_valid and i.out_ready:
            if s.count == 0:
                s.wanted, s.tag = i.insert, i.tag
            s.count += 1
            if i.in_last:
                s.count = 0
            elif s.count == place and s.wanted:
                s.sent = 0
        return out

    order = " and ".join(f"{value:02x}" for value in values)
    return Draft(
        rtl=f"""
module tag_inserter #(
  parameter int PLACE = {place}
) (
  input logic clk,
  input logic rst,
  input logic insert,
  input logic [7:0] tag,
  input logic in_valid,
  output logic in_ready,
  input logic [7:0] in_data,
  input logic in_last,
  output logic out_valid,
  input logic out_ready,
  output logic [7:0] out_data,
  output logic out_last
);
  localparam int EXTRA = {extra}; // bytes of a tag
  logic wanted;
  logic [7:0] tag_held;
  {body}
endmodule
""",
        about=f"""Inserts a tag of {extra} bytes into packets behind their first {place} bytes: {order} (hexadecimal),
            then the number `tag`. Bytes come and go by valid and ready, in the same cycle, with `last` on a packet's
            last one; while the tag is sent `in_ready` is low, and nothing has to wait at the input. `insert` and `tag`
            are taken with the first byte of a packet; without `insert` it passes unchanged, and so does one of {place}
            bytes or fewer. `out_data` and `out_last` mean nothing without `out_valid`.""",
        model=Machine(reset, step),
        names=("vlan_inserter", "tag_pusher", "packet_tagger", "tagger"),
        stimulus={"insert": 0.75, "in_valid": 0.8, "out_ready": 0.8, "in_last": 0.13},
        cycles=220,
    )


@family(variants=3)
def runt_padder(r: Random, variant: int) -> Draft:
    """Makes short packets as long as they have to be."""
    least = r.choice((4, 5, 6, 8, 12))
    mode = r.choice(("constant", "repeat", "count"))
    value = r.choice((0x00, 0xA5, 0xFF))
    pad = {"constant": f"8'h{value:02x}", "repeat": "kept", "count": "{4'h0, count}"}[mode]
    kept = (
        """
  // what is repeated
  always_ff @(posedge clk) begin
    if (rst) kept <= 8'h00;
    else if (in_valid && in_ready) kept <= in_data;
  end
"""
        if mode == "repeat"
        else ""
    )
    flag = f"""
  assign enough = (count >= LEAST - 1); // with this byte
  assign in_ready = out_ready && !padding;
  assign out_valid = padding || in_valid;
  assign out_data = padding ? {pad} : in_data;
  assign out_last = enough && (padding || in_last);

  always_ff @(posedge clk) begin
    if (rst) begin
      padding <= 1'b0;
      count <= 4'd0;
    end else if (out_valid && out_ready) begin
      if (out_last) begin
        padding <= 1'b0;
        count <= 4'd0;
      end else begin
        if (!enough) count <= count + 4'd1; // beyond it nobody counts
        if (in_last && !padding) padding <= 1'b1;
      end
    end
  end
"""
    planned = f"""
  logic padding_next;
  logic [3:0] count_next;

  assign enough = (count == LEAST - 1);

  always_comb begin
    padding_next = padding;
    count_next = enough ? count : count + 1'b1;
    if (padding) begin
      in_ready = 1'b0;
      out_valid = 1'b1;
      out_data = {pad};
      out_last = enough;
      if (enough) padding_next = 1'b0;
    end else begin
      in_ready = out_ready;
      out_valid = in_valid;
      out_data = in_data;
      out_last = in_last && enough;
      // the packet is over too soon
      if (in_last && !enough) padding_next = 1'b1;
    end
    if (out_last) count_next = '0;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      padding <= 1'b0;
      count <= '0;
    end else if (out_valid && out_ready) begin
      padding <= padding_next;
      count <= count_next;
    end
  end
"""
    machine = f"""
  typedef enum logic [1:0] {{SHORT, LONG, PAD}} state_t;
  state_t state;

  assign padding = (state == PAD);
  assign enough = (count == LEAST - 1) || (state == LONG);
  assign in_ready = (state != PAD) && out_ready;
  assign out_valid = (state == PAD) || in_valid;
  assign out_data = (state == PAD) ? {pad} : in_data;
  assign out_last = (state == PAD) ? enough : (in_last && enough);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= SHORT;
      count <= '0;
    end else if (out_valid && out_ready) begin
      count <= count + 1'b1;
      case (state)
        SHORT: begin
          if (in_last && !enough) begin
            state <= PAD;
          end else if (in_last) begin
            count <= '0;
          end else if (enough) begin
            state <= LONG;
          end
        end
        LONG: begin
          count <= '0;
          if (in_last) state <= SHORT;
        end
        default: begin
          if (enough) begin
            state <= SHORT;
            count <= '0;
          end
        end
      endcase
    end
  end
"""
    body = (flag, planned, machine)[variant] + kept

    def reset(s: State) -> None:
        s.count = s.padding = s.kept = 0

    def step(s: State, i: Pins) -> Outputs:
        enough = s.count >= least - 1
        filler = {"constant": value, "repeat": s.kept, "count": s.count}[mode]
        valid = s.padding or i.in_valid
        data = filler if s.padding else i.in_data
        last = int(enough and (s.padding or i.in_last))
        out = {
            "in_ready": int(i.out_ready and not s.padding),
            "out_valid": valid,
            "out_data": data if valid else None,
            "out_last": last if valid else None,
        }
        if valid and i.out_ready:
            if not s.padding:
                s.kept = i.in_data
            s.padding = int(not last and (s.padding or i.in_last))
            s.count = 0 if last else s.count + 1
        return out

    filling = {
        "constant": f"of the value {value:02x} (hexadecimal)",
        "repeat": "that repeat the packet's last byte",
        "count": "whose value is how many bytes of the packet went before",
    }[mode]
    return Draft(
        rtl=f"""
module runt_padder #(
  parameter int LEAST = {least}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [7:0] in_data,
  input logic in_last,
  output logic out_valid,
  input logic out_ready,
  output logic [7:0] out_data,
  output logic out_last
);
  logic padding, enough;
  logic [3:0] count; // bytes sent of this packet
{"  logic [7:0] kept;" if mode == "repeat" else ""}
  {body}
endmodule
""",
        about=(
            f"Pads packets of bytes to at least {least} bytes. Bytes move by valid and ready, without delay, and `last`"
            f" marks the last one of a packet. A packet of {least} bytes or more passes as it is. A shorter one loses"
            f" its `last` and is followed by bytes {filling}, up to a length of {least}, with `out_last` on the final"
            " one; meanwhile `in_ready` is low. `out_data` and `out_last` mean nothing without `out_valid`.",
            f"A stream of packets goes in and out by valid and ready with no cycle between. No packet leaves with fewer"
            f" than {least} bytes: behind the last byte of one that is too short come bytes {filling}, until {least}"
            " have been sent; the input waits for them. `out_last` stands on the last byte that leaves, and it is"
            " that of the input for packets that are long enough. Without `out_valid` the data and the last flag that"
            " leave do not matter.",
        ),
        model=Machine(reset, step),
        names=("min_length_padder", "frame_padder", "packet_padder", "pad_runts"),
        stimulus={"in_valid": 0.8, "out_ready": 0.8, "in_last": 0.18},
        cycles=220,
    )


@family(variants=2)
def packet_arbiter(r: Random, variant: int) -> Draft:
    """Several streams into one, whole packets at a time."""
    count = r.choice((2, 3, 4))
    bits = max(1, (count - 1).bit_length())
    width = r.choice((4, 8))
    fair = r.random() < 0.6
    registered = (
        "    else if (taken && out_last) begin\n      after <= (owner == N - 1) ? '0 : owner + 1'b1;\n    end\n"
    )
    search = (
        """
  // looks at every stream once, from the one behind the last winner
  always_comb begin
    first = after;
    found = 1'b0;
    for (int k = 0; k < N; k++) begin
      if (!found && in_valid[(after + k) % N]) begin
        first = (after + k) % N;
        found = 1'b1;
      end
    end
  end
"""
        if fair
        else """
  // the lower the number, the more urgent
  always_comb begin
    first = '0;
    for (int k = N - 1; k >= 0; k--) begin
      if (in_valid[k]) first = k;
    end
  end
"""
    )
    locked = f"""
  logic [{bits - 1}:0] first, held, owner;
  logic locked, taken;
{f"  logic [{bits - 1}:0] after;" + chr(10) + "  logic found;" if fair else ""}
  {search}
  assign owner = locked ? held : first;
  assign taken = out_valid && out_ready;
  assign out_valid = in_valid[owner];
  assign out_data = in_data[owner*WIDTH +: WIDTH];
  assign out_last = in_last[owner];
  assign source = owner;

  always_comb begin
    in_ready = '0;
    in_ready[owner] = out_ready && out_valid;
  end

  // once a byte has gone the stream keeps the output until its packet ends
  always_ff @(posedge clk) begin
    if (rst) begin
      locked <= 1'b0;
      held <= '0;
    end else if (taken) begin
      locked <= !out_last;
      held <= owner;
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) begin
      after <= '0;
    end
'''
        + registered
        + "  end"
        if fair
        else ""
    }
"""
    chosen = (
        """
  // the lowest request at or behind `start`, else the lowest of all
  assign ahead = in_valid & ~(start - 1'b1);
  assign pick = (ahead != 0) ? (ahead & (~ahead + 1'b1)) : (in_valid & (~in_valid + 1'b1));
"""
        if fair
        else """
  assign pick = in_valid & (~in_valid + 1'b1); // the lowest request
"""
    )
    one_hot = f"""
  logic [N-1:0] pick, grant, held;
{"  logic [N-1:0] ahead, start;" if fair else ""}
  {chosen}
  assign grant = (held != 0) ? held : pick;
  assign in_ready = grant & in_valid & {{N{{out_ready}}}};
  assign out_valid = |(grant & in_valid);
  assign out_last = |(grant & in_last);

  always_comb begin
    out_data = '0;
    source = '0;
    for (int k = 0; k < N; k++) begin
      out_data = out_data | (in_data[k*WIDTH +: WIDTH] & {{WIDTH{{grant[k]}}}});
      if (grant[k]) source = k;
    end
  end

  // zero between packets
  always_ff @(posedge clk) begin
    if (rst) held <= '0;
    else if (out_valid && out_ready) held <= out_last ? '0 : grant;
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) start <= 1;
    else if (out_valid && out_ready && out_last) start <= {grant[N-2:0], grant[N-1]};
  end
'''
        if fair
        else ""
    }
"""
    body = (locked, one_hot)[variant]

    def reset(s: State) -> None:
        s.held, s.after = None, 0

    def step(s: State, i: Pins) -> Outputs:
        order = [(s.after + k) % count if fair else k for k in range(count)]
        owner = s.held if s.held is not None else next((k for k in order if i.in_valid >> k & 1), None)
        valid = owner is not None and i.in_valid >> owner & 1
        if not valid or owner is None:
            return {"in_ready": 0, "out_valid": 0, "out_data": None, "out_last": None, "source": None}
        last = i.in_last >> owner & 1
        if i.out_ready:
            s.held = None if last else owner
            if last:
                s.after = (owner + 1) % count
        return {
            "in_ready": i.out_ready << owner,
            "out_valid": 1,
            "out_data": i.in_data >> owner * width & (1 << width) - 1,
            "out_last": last,
            "source": owner,
        }

    rule = (
        "the first one with a valid byte, looking upwards and around from the stream behind the one whose packet ended"
        " last (from stream 0 after reset)"
        if fair
        else "the lowest one with a valid byte"
    )
    return Draft(
        rtl=f"""
module packet_arbiter #(
  parameter int N = {count},
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] in_valid,
  output logic [N-1:0] in_ready,
  input logic [N*WIDTH-1:0] in_data, // that of stream 0 is lowest
  input logic [N-1:0] in_last,
  output logic out_valid,
  input logic out_ready,
  output logic [WIDTH-1:0] out_data,
  output logic out_last,
  output logic [{bits - 1}:0] source
);
  {body}
endmodule
""",
        about=f"""Joins {count} streams of packets into one, without delay. Between packets the output belongs to
            {rule}; `source` says which. From its first word that is taken until the one with `last` is taken the output
            stays with that stream, even while it has nothing to send. `in_ready` has at most one bit set: that of the
            owner, while it is valid and `out_ready` is high. While nothing has been taken the choice may still change.
            The other outputs mean nothing without `out_valid`.""",
        model=Machine(reset, step),
        names=("stream_mux", "packet_mux", "frame_arbiter", "stream_joiner"),
        stimulus={
            "in_valid": lambda r: r.getrandbits(count) | r.getrandbits(count),
            "in_last": lambda r: r.getrandbits(count) & r.getrandbits(count),
            "out_ready": 0.8,
        },
        cycles=140,
    )


@family(variants=2)
def packet_dropper(r: Random, variant: int) -> Draft:
    """A buffer that keeps whole packets or nothing of them."""
    bits = r.choice((3, 4))
    depth = 1 << bits
    width = r.choice((4, 8))
    judged = r.random() < 0.6
    bad = " || in_bad" if judged else ""
    pointers = f"""
  logic [{bits}:0] wr_ptr, commit_ptr, rd_ptr; // one bit more than the address, to tell full from empty
  logic full, dropping, lost;

  assign full = (wr_ptr[{bits}] != rd_ptr[{bits}]) && (wr_ptr[{bits - 1}:0] == rd_ptr[{bits - 1}:0]);
  assign lost = dropping || full;
  assign out_valid = (rd_ptr != commit_ptr); // only what is complete is shown
  assign {{out_last, out_data}} = mem[rd_ptr[{bits - 1}:0]];

  always_ff @(posedge clk) begin
    if (in_valid && !lost) mem[wr_ptr[{bits - 1}:0]] <= {{in_last, in_data}};
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      wr_ptr <= '0;
      commit_ptr <= '0;
      dropping <= 1'b0;
      dropped <= 1'b0;
    end else begin
      dropped <= 1'b0;
      if (in_valid && in_last) begin
        dropping <= 1'b0;
        if (lost{bad}) begin
          wr_ptr <= commit_ptr; // as if it had never come
          dropped <= 1'b1;
        end else begin
          wr_ptr <= wr_ptr + 1'b1;
          commit_ptr <= wr_ptr + 1'b1;
        end
      end else if (in_valid) begin
        if (full) dropping <= 1'b1;
        if (!lost) wr_ptr <= wr_ptr + 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) rd_ptr <= '0;
    else if (out_valid && out_ready) rd_ptr <= rd_ptr + 1'b1;
  end
"""
    counts = f"""
  logic [{bits - 1}:0] head, tail;
  logic [{bits}:0] stored, part; // words of whole packets, words of the one that comes in
  logic dropping, fits, keep, give_up, pop;

  assign fits = !dropping && (stored + part < DEPTH);
  assign keep = in_valid && in_last && fits{" && !in_bad" if judged else ""};
  assign give_up = in_valid && in_last && !keep;
  assign out_valid = (stored != 0);
  assign pop = out_valid && out_ready;
  assign out_data = mem[head][WIDTH-1:0];
  assign out_last = mem[head][WIDTH];

  always_ff @(posedge clk) begin
    if (rst) begin
      dropping <= 1'b0;
      part <= '0;
      tail <= '0;
    end else if (in_valid) begin
      if (in_last) begin
        dropping <= 1'b0;
        part <= '0;
        if (keep) tail <= tail + 1'b1;
        else tail <= tail - part[{bits - 1}:0]; // back to where the packet began
      end else if (fits) begin
        part <= part + 1'b1;
        tail <= tail + 1'b1;
      end else begin
        dropping <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (in_valid && fits) mem[tail] <= {{in_last, in_data}};
  end

  // a packet counts when its last word is in
  always_ff @(posedge clk) begin
    if (rst) begin
      stored <= '0;
      head <= '0;
    end else begin
      stored <= stored + (keep ? part + 1'b1 : 0) - pop;
      if (pop) head <= head + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) dropped <= 1'b0;
    else dropped <= give_up;
  end
"""
    body = (pointers, counts)[variant]

    def reset(s: State) -> None:
        s.queue, s.part, s.dropping, s.dropped = [], [], False, 0

    def step(s: State, i: Pins) -> Outputs:
        front = s.queue[0] if s.queue else (None, None)
        out = {
            "out_valid": int(bool(s.queue)),
            "out_data": front[0],
            "out_last": front[1],
            "dropped": s.dropped,
        }
        full = len(s.queue) + len(s.part) == depth
        popped = s.queue and i.out_ready
        s.dropped = 0
        if i.in_valid:
            s.dropping |= full
            if not s.dropping:
                s.part.append((i.in_data, i.in_last))
            if i.in_last:
                if s.dropping or (judged and i.in_bad):
                    s.dropped = 1
                else:
                    s.queue = [*s.queue, *s.part]
                s.part, s.dropping = [], False
        if popped:
            s.queue = s.queue[1:]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.04:
            s.speed = r.choice((0.2, 0.6, 1.0))
        return {"out_ready": int(r.random() < getattr(s, "speed", 0.6))}

    reason = "or comes with `in_bad` on its last word " if judged else ""
    return Draft(
        rtl=f"""
module packet_dropper #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic in_valid,
  input logic [WIDTH-1:0] in_data,
  input logic in_last,
{"  input logic in_bad, // a wrong checksum; looked at with `in_last`" if judged else ""}
  output logic out_valid,
  input logic out_ready,
  output logic [WIDTH-1:0] out_data,
  output logic out_last,
  output logic dropped
);
  localparam int DEPTH = {depth};
  logic [WIDTH:0] mem [0:DEPTH-1];
  {body}
endmodule
""",
        about=f"""A buffer of {depth} words for packets whose sender cannot wait: a word comes in every cycle with
            `in_valid`, and `in_last` marks the last one of a packet. A packet that finds no room for one of its words
            {reason}is dropped as a whole: its words are taken out again and the rest of it is ignored. `dropped` is
            high for the cycle behind its last word. A word that is read in the same cycle still takes its place. On the
            output side, with valid and ready, only words of packets that are completely stored are shown, from the
            cycle behind their last word on.""",
        model=Machine(reset, step),
        names=("packet_fifo", "store_and_forward", "frame_buffer", "packet_buffer"),
        stimulus={"in_valid": 0.7, "in_last": 0.28, "in_bad": 0.3},
        drive=drive,
        cycles=260,
    )


@family(variants=2)
def length_checker(r: Random, variant: int) -> Draft:
    """Whether a packet is as long as it says, and as packets may be."""
    least, most = r.choice(((4, 10), (3, 8), (5, 12)))
    place = r.randrange(min(least - 1, 3))  # never the last byte of a packet that is long enough
    whole = r.random() < 0.5
    extra = 0 if whole else place + 1
    wanted = "length" if whole else f"length + 5'd{extra}"
    chain = f"""
  logic [4:0] count; // bytes before this one; stops at the top
  logic [4:0] size; // bytes with this one
  logic [4:0] length;

  assign size = count + 5'd1;

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= 5'd0;
      length <= 5'd0;
      good <= 1'b0;
      runt <= 1'b0;
      giant <= 1'b0;
      mismatch <= 1'b0;
    end else begin
      {{good, runt, giant, mismatch}} <= 4'b0000;
      if (valid) begin
        if (count == PLACE) length <= {{1'b0, data[3:0]}};
        if (!last) begin
          if (count != 5'd30) count <= size;
        end else begin
          count <= 5'd0;
          if (size < LEAST) runt <= 1'b1;
          else if (size > MOST) giant <= 1'b1;
          else if (size != {wanted}) mismatch <= 1'b1;
          else good <= 1'b1;
        end
      end
    end
  end
"""
    equations = f"""
  logic [4:0] size, length;
  logic done, too_short, too_long, equal;

  assign done = valid && last;
  assign too_short = (size < LEAST);
  assign too_long = (size > MOST);
  assign equal = (size == {wanted});

  // starts at one: the byte that comes counts
  always_ff @(posedge clk) begin
    if (rst) size <= 5'd1;
    else if (done) size <= 5'd1;
    else if (valid && size != 5'd31) size <= size + 5'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) length <= 5'd0;
    else if (valid && size == PLACE + 1) length <= {{1'b0, data[3:0]}};
  end

  // at most one of the four
  always_ff @(posedge clk) begin
    if (rst) begin
      good <= 1'b0;
      runt <= 1'b0;
      giant <= 1'b0;
      mismatch <= 1'b0;
    end else begin
      runt <= done & too_short;
      giant <= done & too_long;
      mismatch <= done & ~too_short & ~too_long & ~equal;
      good <= done & ~too_short & ~too_long & equal;
    end
  end
"""
    tally = """
  // stops at its highest value
  always_ff @(posedge clk) begin
    if (rst) errors <= 4'd0;
    else if (clear) errors <= 4'd0;
    else if ((runt || giant || mismatch) && errors != 4'd15) errors <= errors + 4'd1;
  end
"""
    body = (chain, equations)[variant] + tally

    def reset(s: State) -> None:
        s.count = s.length = s.errors = 0
        s.verdict = ""

    def step(s: State, i: Pins) -> Outputs:
        out = {one: int(s.verdict == one) for one in ("good", "runt", "giant", "mismatch")} | {"errors": s.errors}
        if i.clear:
            s.errors = 0
        elif s.verdict not in ("", "good"):
            s.errors = min(s.errors + 1, 15)
        s.verdict = ""
        if i.valid:
            if s.count == place:
                s.length = i.data & 15
            s.count = min(s.count + 1, 30)
            if i.last:
                size, s.count = s.count, 0
                fits = size == s.length + extra
                s.verdict = "runt" if size < least else "giant" if size > most else "good" if fits else "mismatch"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.count == 0:
            s.goal = r.choice((least - 1, least, least + 1, most - 1, most, most + 1, r.randrange(1, 16)))
            s.told = s.goal - extra + (r.random() < 0.25)
        return {"last": int(s.count >= s.goal - 1), "data": max(s.told, 0) & 15 | r.getrandbits(4) << 4}

    counted = "the whole packet has" if whole else "follow it"
    return Draft(
        rtl=f"""
module length_checker #(
  parameter int LEAST = {least},
  parameter int MOST = {most}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic [7:0] data,
  input logic last,
  input logic clear,
  output logic good,
  output logic runt,
  output logic giant,
  output logic mismatch,
  output logic [3:0] errors
);
  localparam int PLACE = {place}; // which byte of a packet tells the length
  {body}
endmodule
""",
        about=f"""Checks the length of packets. Bytes come with `valid`, and `last` marks the last one of a packet. The
            low four bits of byte {place} (the first one is byte 0) say how many bytes {counted}. For the cycle
            behind the last byte exactly one output is high: `runt` for fewer than {least} bytes, `giant` for more than
            {most}, else `mismatch` where the length told is not the true one, else `good`. `errors` counts the pulses
            of the first three, one cycle after each, and stops at 15; `clear` sets it to 0 and goes before counting. A
            packet of {most + 1} bytes or more, however long, is a giant.""",
        model=Machine(reset, step),
        names=("packet_length_check", "frame_sizer", "size_checker", "length_monitor"),
        stimulus={"valid": 0.9, "clear": 0.02},
        drive=drive,
        cycles=260,
    )
