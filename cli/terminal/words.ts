// SPDX-License-Identifier: Apache-2.0

/** A count with thousands separated: 1,204. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** A count with its noun: `1 block`, `1,204 blocks`. */
export function counted(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`
}

/** A duration for people: `0.4 s`, `12 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Bytes for people: `512 bytes`, `4.0 kB`, `1.2 GB`. */
export function size(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB']
  if (bytes < 1000) return `${bytes} bytes`
  let at = -1
  let rest = bytes
  do {
    rest /= 1000
    at++
  } while (rest >= 999.95 && at < units.length - 1)
  return `${rest.toFixed(1)} ${units[at] ?? ''}`
}

/** The month names of our own table: Intl's en-GB writes "Sept". */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A time as clinicians write it, in the zone of this computer: `23-Nov-2026 14:05`. */
export function localTime(timestamp: string): string {
  const time = new Date(timestamp)
  const day = `${two(time.getDate())}-${MONTHS[time.getMonth()] ?? ''}-${time.getFullYear()}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' and ')
}

/** How long ago a POSIX time in seconds was: `4 s ago`, `3 h ago`. A clock that is set back gives `just now`. */
export function ago(seconds: number, nowMs: number): string {
  const past = Math.floor(nowMs / 1000) - seconds
  if (past < 1) return 'just now'
  if (past < 120) return `${past} s ago`
  if (past < 7200) return `${Math.floor(past / 60)} min ago`
  return past < 172_800 ? `${Math.floor(past / 3600)} h ago` : `${Math.floor(past / 86_400)} days ago`
}

/** Rows as aligned columns; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) =>
    `${indent}${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')}`.trimEnd(),
  )
}

/** Text that somebody else wrote, on one line and without characters that steer a terminal; empty for what is no text. */
export function plain(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ') : ''
}

/** Text broken at spaces so that no line is longer than `width`, words longer than that excepted. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** What steers a terminal, or turns the direction in which text is read; line breaks, tabs and our colours aside. */
// oxlint-disable-next-line no-control-regex -- that one is what begins a colour
const STEERING = /(?!\u001b\[\d{1,3}m|[\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** Text that can only be read: files and other computers say parts of it, and a terminal obeys what it is written. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, '\ufffd')
}
