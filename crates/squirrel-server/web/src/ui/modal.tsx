// A form that must be answered or left before anything else: the browser keeps the focus inside and gives it back.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

export function Modal({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const frame = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = frame.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog class="panel modal" ref={frame} aria-labelledby={id} onCancel={onClose}>
      <h3 id={id}>{title}</h3>
      {children}
    </dialog>
  );
}
