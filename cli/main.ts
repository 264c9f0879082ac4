// SPDX-License-Identifier: Apache-2.0
import { CATALOGUE } from './catalogue/all.ts'
import { runCommand } from './program/program.ts'
import { processTerminal } from './terminal/terminal.ts'
import { VERSION } from './version.ts'

// A reader that closes its end early (head, less) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCommand(process.argv.slice(2), CATALOGUE, VERSION, processTerminal())
