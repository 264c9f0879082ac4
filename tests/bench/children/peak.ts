// SPDX-License-Identifier: Apache-2.0
// Run alone it prints the peak of a process that does nothing.
import { existsSync, readFileSync } from 'node:fs'

const STATUS = '/proc/self/status'

/**
 * Peak resident memory of this process in MB. On Linux from its memory map: what getrusage calls maxRSS begins with the
 * size of the process that started this one.
 */
export function peakMb(): number {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : ''
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) / 1024
}

if (import.meta.main) process.stdout.write(`${peakMb()}\n`)
