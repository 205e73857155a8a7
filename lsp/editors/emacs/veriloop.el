;;; veriloop.el --- Veriloop's language server for verilog-mode -*- lexical-binding: t; -*-

;;; Commentary:
;; Emacs 29 or later with the eglot that it brings:
;;   (load "/path/to/veriloop.el")
;;   (add-hook 'verilog-mode-hook #'eglot-ensure)
;; or, with lsp-mode installed, M-x lsp does the same after loading this file.

;;; Code:

(defgroup veriloop nil
  "Veriloop's language server."
  :group 'tools)

(defcustom veriloop-command '("veriloop" "lsp")
  "The command that starts the server."
  :type '(repeat string))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               `((verilog-mode verilog-ts-mode) . ,veriloop-command)))

(with-eval-after-load 'lsp-mode
  (when (fboundp 'lsp-register-client)
    (add-to-list 'lsp-language-id-configuration '(verilog-ts-mode . "systemverilog"))
    (lsp-register-client
     (make-lsp-client
      :new-connection (lsp-stdio-connection (lambda () veriloop-command))
      :major-modes '(verilog-mode verilog-ts-mode)
      :priority 1
      :server-id 'veriloop))))

(with-eval-after-load 'project
  (add-to-list 'project-vc-extra-root-markers "veriloop.toml"))

(provide 'veriloop)
;;; veriloop.el ends here
