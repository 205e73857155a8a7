-- Starts `veriloop lsp` for Verilog and SystemVerilog. Neovim 0.7 or later; no plug-in is needed.
--
-- Put this file into ~/.config/nvim/lua/ and `require("veriloop").setup()` into init.lua. `setup` takes a table:
--   cmd           the command, e.g. { "/path/to/.venv/bin/veriloop", "lsp" }
--   on_attach     called with the client and the buffer
--   capabilities  what a completion plug-in adds
local M = {}

M.defaults = {
  cmd = { "veriloop", "lsp" },
  filetypes = { "verilog", "systemverilog" },
  root_markers = { "veriloop.toml", ".git" },
}

-- The nearest directory at or above a file that holds one of the markers; nil for a file that stands alone.
function M.root(file, markers)
  local directory = vim.fn.fnamemodify(file, ":p:h")
  while directory and directory ~= "" do
    for _, marker in ipairs(markers) do
      if vim.loop.fs_stat(directory .. "/" .. marker) then
        return directory
      end
    end
    local above = vim.fn.fnamemodify(directory, ":h")
    if above == directory then
      return nil
    end
    directory = above
  end
end

-- `veriloop.showReferences`: the instances that a lens counts, in the location list.
local function show_references(command)
  local locations = (command.arguments or {})[3] or {}
  if #locations > 0 then
    vim.fn.setqflist({}, " ", {
      title = command.title,
      items = vim.lsp.util.locations_to_items(locations, "utf-16"),
    })
    vim.cmd("copen")
  end
end

function M.setup(options)
  options = vim.tbl_deep_extend("force", M.defaults, options or {})
  vim.lsp.commands["veriloop.showReferences"] = show_references
  local clients = {}
  local function attach(buffer)
    local file = vim.api.nvim_buf_get_name(buffer)
    local root = M.root(file, options.root_markers)
    local key = root or file
    local id = clients[key]
    if not id or not vim.lsp.get_client_by_id(id) then
      id = vim.lsp.start_client({
        name = "veriloop",
        cmd = options.cmd,
        root_dir = root,
        workspace_folders = root and { { uri = vim.uri_from_fname(root), name = root } } or nil,
        capabilities = options.capabilities or vim.lsp.protocol.make_client_capabilities(),
        on_attach = options.on_attach,
      })
      clients[key] = id
    end
    if id then
      vim.lsp.buf_attach_client(buffer, id)
    end
  end
  local group = vim.api.nvim_create_augroup("veriloop", { clear = true })
  vim.api.nvim_create_autocmd("FileType", {
    group = group,
    pattern = options.filetypes,
    callback = function(event)
      attach(event.buf)
    end,
  })
end

return M
