// SPDX-License-Identifier: Apache-2.0
import { Socket } from 'node:net'
import { CATALOGUE } from './catalogue/all.ts'
import { runCommand } from './program/program.ts'
import { processTerminal } from './terminal/terminal.ts'
import { VERSION } from './version.ts'

// A reader that closes its end early (head, less) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

endWithHolder()

process.exitCode = await runCommand(process.argv.slice(2), CATALOGUE, VERSION, processTerminal())

/** Stops, as when it is asked to, once the process that cli/setup.mjs runs in was killed: nobody else would end this one. */
function endWithHolder(): void {
  const fd = Number(process.env['AMPERE_HELD_BY_FD'] ?? '')
  // It is this process's alone: one that it starts has other files there.
  delete process.env['AMPERE_HELD_BY_FD']
  if (!Number.isSafeInteger(fd) || fd < 3) return
  const holder = new Socket({ fd, readable: true, writable: false })
  holder.on('error', () => {})
  holder.on('close', () => process.kill(process.pid, 'SIGTERM'))
  holder.resume().unref()
}
