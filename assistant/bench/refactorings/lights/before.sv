module lights (
    input  wire       clk,
    input  wire       rst,
    input  wire       car,
    output reg  [2:0] main,
    output reg  [2:0] side
);
  localparam GREEN = 2'd0, YELLOW = 2'd1, SIDE = 2'd2, SIDE_YELLOW = 2'd3;
  reg [1:0] state;
  reg [3:0] timer;

  always @(posedge clk) begin
    if (rst) begin
      state <= GREEN;
      timer <= 4'd0;
    end else begin
      timer <= timer + 4'd1;
      case (state)
        GREEN: if (car && timer >= 4'd9) begin state <= YELLOW; timer <= 4'd0; end
               else if (timer == 4'd15) timer <= 4'd15;
        YELLOW: if (timer == 4'd2) begin state <= SIDE; timer <= 4'd0; end
        SIDE: if (timer == 4'd6) begin state <= SIDE_YELLOW; timer <= 4'd0; end
        default: if (timer == 4'd2) begin state <= GREEN; timer <= 4'd0; end
      endcase
    end
  end

  always @(*) begin
    main = 3'b100;
    side = 3'b100;
    case (state)
      GREEN: main = 3'b001;
      YELLOW: main = 3'b010;
      SIDE: side = 3'b001;
      default: side = 3'b010;
    endcase
  end
endmodule
