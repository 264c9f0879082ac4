// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander'
import { erase, grant, hold, listRecords, revoke, rotate, showRecord } from './commands/chain.ts'
import { doctor, findings, importFile } from './commands/data.ts'
import { resetDemo, start } from './commands/start.ts'
import { audit, exportChain, verify } from './commands/verify.ts'
import { tamper } from './demo/tamper.ts'
import { guardDashedIds } from './program/dash-ids.ts'
import { EXIT, fail, type Common } from './terminal/output.ts'

const program = new Command('ampere')
  .description(
    'A medical record per patient that nobody, not even the operator, can quietly change, read or lose',
  )
  .version('0.1.0')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    '\nExit codes: 0 ok, 1 failed, 2 usage, 3 verification failed\n\nExamples:\n  npx ampere start --demo\n  npx ampere verify --all\n  npx ampere import ward.ndjson --as hospital-a',
  )

/** Adds a command with the options that all share; its action gives the exit code. */
function command(
  parent: Command,
  usage: string,
  description: string,
  action: (...args: never[]) => Promise<number>,
): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--data <folder>', 'data folder (default: AMPERE_DATA or ./.ampere)')
    .option('--json', 'one JSON object on standard output')
    .option('--debug', 'show where an error arose')
    .exitOverride()
    .action(async (...args: unknown[]) => {
      const options = args.at(-2) as Common
      try {
        process.exitCode = await action(...(args.slice(0, -1) as never[]))
      } catch (error) {
        process.exitCode = fail(options, error)
      }
    })
}

function acting(
  parent: Command,
  usage: string,
  description: string,
  action: (...args: never[]) => Promise<number>,
): Command {
  return command(parent, usage, description, action).option(
    '--as <institution>',
    'which institution of this machine acts',
  )
}

command(program, 'start', 'serve the home and the bridges on this computer', start)
  .option('--demo', 'on first use, make the demo: two hospitals, one patient')
  .option('--port <port>', 'port on 127.0.0.1 for a new deployment (default 7310)')
  .option('--log', 'structured log lines on standard error')
  .option('--once', 'set up and report, then end')
command(program, 'doctor', 'say what this machine and folder are like', doctor)
acting(program, 'import <file>', 'file a FHIR Bundle (.json) or NDJSON file (.ndjson)', importFile)
acting(program, 'findings', 'list what does not fit in the records', findings)
acting(program, 'verify [file]', 'verify an exported file, or with --all all records', verify)
  .option('--all', 'all records that this institution knows')
  .option('--registry <id>', 'the registry id to trust, for a file')
acting(program, 'audit', 'audit the stores of the home', audit)
acting(program, 'grant <record> <institution>', 'let an institution read a record', grant)
  .option('--append', 'and write to it')
  .option('--compartments <names>', 'only these compartments, separated by commas')
acting(program, 'revoke <record> <institution>', 'take a grant away; keys change', revoke)
acting(program, 'rotate <record>', 'give a record new keys', rotate)
acting(program, 'hold <record>', 'forbid erasing', hold).option('--off', 'allow it again')
acting(program, 'erase <record>', 'request, complete or cancel an erasure', erase)
  .option('--entries <ids>', 'entries, by the first characters of their ids')
  .option('--record', 'the whole record')
  .option('--ground <ground>', 'patient-request, misfiled, legal-duty or consent-withdrawn')
  .option('--confirm <start>', "the record's first characters")
  .option('--complete <block>', 'complete the request in this block')
  .option('--cancel <block>', 'cancel the request in this block')
const chain = program.command('chain').description('records and their blocks')
acting(chain, 'list', 'list the records', listRecords)
acting(chain, 'show <record>', "show a record's blocks", showRecord).option(
  '--block <height>',
  'one block, with its entry ids',
)
acting(chain, 'export <record> <file>', 'write a record to a file that verifies offline', exportChain)
const demo = program.command('demo').description('the demo data')
command(demo, 'reset', 'remove the demo data', resetDemo)
command(demo, 'tamper', "damage the demo's stored data", tamper).option(
  '--what <part>',
  'key-row (default) or block',
)

// A reader that closes its end early (head, less) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
})

try {
  await program.parseAsync(guardDashedIds(program, process.argv))
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
}
