// Shares as people may rely on them: cut, never rounded up to all or down to nothing.

/** 99.99 % for whatever is less than all, however little is missing; `<0.01 %` for whatever is more than nothing. */
export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  if (share >= 1) return "100\u00a0%";
  if (share <= 0) return "0\u00a0%";
  // 0.9999 is a little less in binary; without the small part it would be cut to 99.98.
  const hundredths = Math.min(9_999, Math.floor(share * 10_000 + 1e-6));
  return hundredths < 1 ? "<0.01\u00a0%" : `${(hundredths / 100).toFixed(2)}\u00a0%`;
}
