// SPDX-License-Identifier: Apache-2.0
import type { CommandGroup } from '../program/command.ts'

const PROBLEMS = 'chain, height, status, rule and detail of each'

export const PROOF: CommandGroup = {
  title: 'Proof',
  commands: [
    {
      name: 'verify',
      summary: 'Verify an exported file, or with --all everything here',
      about:
        'A file needs no server: public keys are enough. --all verifies and opens every record that the institution knows, and audits everything that the home holds.',
      args: [{ name: 'file', about: 'a file that chain export wrote', optional: true }],
      flags: [
        { flags: '--all', about: 'every record known here, and the stores of the home' },
        {
          flags: '--registry <id>',
          about: 'registry to trust, for a file (default: that of the data folder, if any)',
        },
        {
          flags: '--policy <file>',
          about: 'logs and witnesses to trust, for a file (default: those of the data folder, if any)',
        },
      ],
      acts: true,
      examples: [
        { does: 'everything', run: 'npx ampere verify --all' },
        {
          does: 'a file, against a registry that you know',
          run: 'npx ampere verify record.ampere --registry ID',
        },
      ],
      json: {
        ok: 'false when something is not as it was signed',
        institution: 'as which one its records were opened (with --all)',
        records: 'how many were verified (with --all)',
        blocks: 'how many',
        entries: 'how many',
        erased: 'how many of them are erased',
        notGranted: 'how many the institution may not open (with --all)',
        log: 'of how many blocks the receipts say what: witnessed, logged, promised, overdue, suspect, late; null without a policy',
        complete:
          'as of when how many records are complete by what monitors say, and why others are not: asOf, records, others (with --all)',
        receipts: 'how many are in the file',
        audited: 'chains and blocks that the home holds (with --all)',
        registryAsOf: 'time of the newest registry block that was used (with --all)',
        chain: 'id of the record (of a file, as all that follow)',
        registry: 'the registry that vouches for it',
        pinned: 'whether that is the registry that is trusted here',
        origin: 'the home that it came from',
        asOf: 'until when it is complete, as the home says',
        statuses: 'the status word of each block, by height',
        erasures: 'who says that erased copies are gone, and who still owes it',
        problems: PROBLEMS,
      },
      load: async () => (await import('../commands/proof/verify.ts')).verify,
    },
    {
      name: 'audit',
      summary: "Audit the home's stores, and check what the institution's records say",
      about:
        'Blocks, states, key rows and sealed objects of every record, whoever may read it; a running server audits itself. Then the records that the institution knows are opened and checked for consistency, which is entered in their access logs.',
      flags: [{ flags: '--stores', about: 'only the stores: nothing is opened' }],
      acts: true,
      examples: [
        { does: 'is all as it was signed, and does it fit together?', run: 'npx ampere audit' },
        { does: 'the stores alone', run: 'npx ampere audit --stores' },
      ],
      json: {
        ok: 'false when something is not as it was signed',
        chains: 'how many',
        blocks: 'how many',
        entries: 'how many',
        erased: 'how many of them are erased',
        problems: PROBLEMS,
        flags: 'chain, height, flag, detail and since of what is no damage but worth knowing',
        contents:
          'records, findings, fresh (filed just now) and failed, as the institution reads them; null with --stores',
      },
      load: async () => (await import('../commands/proof/audit.ts')).audit,
    },
  ],
}
