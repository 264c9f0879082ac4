// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from './cloud-flags.ts'
import { parseCount } from '../program/arguments.ts'
import type { CommandGroup } from '../program/command.ts'

export const DATA: CommandGroup = {
  title: 'Data',
  commands: [
    {
      name: 'import',
      summary: 'File a FHIR Bundle (.json) or NDJSON file (.ndjson)',
      about:
        "Checks each resource, seals it and files it in its patient's record. What cannot be filed is kept out, with its place and the reason, and nothing else is held up by it. Importing again files nothing twice. At most 256 MB at once: split larger NDJSON files at line ends.",
      args: [
        {
          name: 'file',
          about: 'a name ending in .ndjson is read as lines, any other as a Bundle or one resource',
        },
      ],
      flags: [HOME_FLAG],
      acts: true,
      examples: [
        { does: 'file what a ward exported', run: 'npx ampere import ward.ndjson --as hospital-a' },
        {
          does: 'which lines are in quarantine?',
          run: 'npx ampere import ward.ndjson --json | jq .quarantined',
        },
      ],
      json: {
        ok: 'true when everything was filed or there already',
        filed: 'how many resources are new or changed',
        of: 'how many there are in the file',
        unchanged: 'how many were there already',
        leftOut: 'places of resources that belong to no patient',
        dangling: 'line or entry and path of references inside the file that lead nowhere; they are kept',
        findings: 'how many findings are new',
        quarantined: 'line or entry, code and reason of each',
      },
      exits: { 1: 'something is in quarantine or left out, or nothing could be read' },
      load: async () => (await import('../commands/data/import.ts')).importFile,
    },
    {
      name: 'send',
      summary: "Post a file to a FHIR endpoint, as a hospital's software would",
      about:
        'A transaction or batch goes as it is, other Bundles and NDJSON resource by resource: updated where it has an id, else created. Waits and tries again while the server answers 429 or 503, as long as its Retry-After says.',
      args: [{ name: 'file', about: 'a Bundle, one resource, or NDJSON (.ndjson)' }],
      flags: [
        { flags: '--to <url>', about: "the server's FHIR endpoint; asked for when missing" },
        { flags: '--token-file <file>', about: 'file with a bearer token for the server' },
        {
          flags: '--timeout <seconds>',
          about: 'how long to wait for one answer (default: 60)',
          default: 60,
          parse: parseCount,
        },
      ],
      examples: [
        {
          does: 'to the demo',
          run: 'npx ampere send bundle.json --to http://127.0.0.1:7310/hospital-a/fhir',
        },
        {
          does: 'to a server that asks who you are',
          run: 'npx ampere send ward.ndjson --to https://fhir.example.org/r4 --token-file token',
        },
      ],
      json: {
        ok: 'true when nothing was refused',
        to: 'the endpoint',
        sent: 'how many resources were sent',
        done: 'how many were filed',
        refused: 'how many were refused, not sent, or have an unknown outcome',
        items: 'line or entry, type, status, outcome and why of each',
      },
      exits: { 1: 'something was refused, or the server did not answer' },
      load: async () => (await import('../commands/data/send/send.ts')).send,
    },
    {
      name: 'findings',
      summary: 'List what does not fit in the records',
      about:
        'About the data, never about treatment. Whoever lists findings reads records, and that is entered in their access logs.',
      flags: [
        HOME_FLAG,
        {
          flags: '--severity <severity>',
          about: 'only findings of this severity or graver',
          choices: ['safety', 'error', 'warn', 'info'],
        },
      ],
      acts: true,
      examples: [
        { does: 'everything', run: 'npx ampere findings' },
        { does: 'what may harm somebody', run: 'npx ampere findings --severity safety' },
      ],
      json: {
        ok: 'false when a part of a record is not as it was signed and could not be read',
        items:
          'chain, id, rule, severity, title, explanation, filedBy, sources, and evidence: source, type, id, pointer and value of each',
        problems: 'chain, height, status, rule and detail of what could not be read',
      },
      load: async () => (await import('../commands/data/findings.ts')).findings,
    },
  ],
}
