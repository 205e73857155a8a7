module lights (
    input  wire       clk,
    input  wire       rst,
    input  wire       car,
    output wire [2:0] main,
    output wire [2:0] side
);
  // One bit a phase: main green, main yellow, side green, side yellow.
  reg  [3:0] phase;
  reg  [3:0] ticks;
  wire leave = (phase[0] & car & (ticks > 4'd8)) |
               (phase[1] & (ticks == 4'd2)) |
               (phase[2] & (ticks == 4'd6)) |
               (phase[3] & (ticks == 4'd2));

  always @(posedge clk)
    if (rst) phase <= 4'b0001;
    else if (leave) phase <= {phase[2:0], phase[3]};

  always @(posedge clk)
    if (rst | leave) ticks <= 4'd0;
    else if (!(phase[0] && &ticks)) ticks <= ticks + 4'd1;

  assign main = {phase[3] | phase[2], phase[1], phase[0]};
  assign side = {phase[1] | phase[0], phase[3], phase[2]};
endmodule
