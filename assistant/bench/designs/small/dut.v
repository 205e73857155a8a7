// A pulse counter with a saturating level and a Gray-coded output.
module dut (
    input            clk,
    input            rst,
    input            up,
    input            down,
    input      [3:0] limit,
    output reg [3:0] level,
    output     [3:0] gray,
    output           full,
    output reg       pulse
);
  reg was_up;
  wire rising = up & ~was_up;

  always @(posedge clk) begin
    was_up <= up;
    pulse <= rising & ~full;
    if (rst) begin
      level <= 4'd0;
      was_up <= 1'b0;
      pulse <= 1'b0;
    end else if (rising && !full) level <= level + 4'd1;
    else if (down && level != 4'd0) level <= level - 4'd1;
  end

  assign full = level >= limit;
  assign gray = level ^ (level >> 1);
endmodule
