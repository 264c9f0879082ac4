// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from '../cloud-flags.ts'
import { parseExpiryDays } from '../../program/arguments.ts'
import type { CommandSpec } from '../../program/command.ts'
import { graveFlags } from '../deployment.ts'

const CODE = { name: 'code', about: 'the code that the machine shows, such as 7K2M-9XQ4-RT0V' }

/** What an institution's administrator does about machines that ask to be app instances, and what these show. */
export const APPROVALS: readonly CommandSpec[] = [
  {
    name: 'instance requests',
    summary: 'List machines that ask to be app instances of an institution',
    flags: [{ flags: '--all', about: 'also those that were answered or have expired' }, HOME_FLAG],
    acts: true,
    examples: [{ does: 'who asks', run: 'npx ampere instance requests --as hospital-a' }],
    json: {
      ok: 'true',
      institution: 'its id',
      items: 'code, instance, state, capabilities, reads and time of each',
      isCut: 'whether there are more',
    },
    load: async () => (await import('../../commands/instances/requests.ts')).listRequests,
  },
  {
    name: 'instance approve',
    summary: 'Approve the machine that shows a code as an app instance',
    about:
      'Approve only a code that somebody whom you know told you, by telephone or in person: it is what tells this machine from any other. Shows all that it grants, and asks.',
    args: [CODE],
    flags: [
      HOME_FLAG,
      {
        flags: '--days <days>',
        about: 'how long it holds, 1 to 398 days; it renews itself in the last quarter (default: 365)',
        default: 365,
        parse: parseExpiryDays,
      },
      {
        flags: '--reads',
        about:
          "hand over the institution's sealing key: it reads all that the institution may read, for ever",
      },
      ...graveFlags("the instance's id"),
    ],
    acts: true,
    examples: [
      { does: 'one that reads', run: 'npx ampere instance approve 7K2M-9XQ4-RT0V --as hospital-a --reads' },
      { does: 'what it would grant', run: 'npx ampere instance approve 7K2M-9XQ4-RT0V --dry-run' },
    ],
    json: {
      ok: 'true',
      dryRun: 'whether --dry-run was given',
      instance: 'its id',
      kid: 'id of its key',
      capabilities: 'what it may do',
      reads: 'whether the sealing key was handed over',
      registryHeight: 'height of the registry afterwards',
    },
    load: async () => (await import('../../commands/instances/approve.ts')).approveRequest,
  },
  {
    name: 'instance refuse',
    summary: 'Refuse the machine that shows a code',
    args: [CODE],
    flags: [
      HOME_FLAG,
      { flags: '--reason <text>', about: 'why, in at most 200 characters; the machine shows it' },
    ],
    acts: true,
    examples: [
      {
        does: 'nobody knows it',
        run: 'npx ampere instance refuse 7K2M-9XQ4-RT0V --as hospital-a --reason unknown',
      },
    ],
    json: { ok: 'true', instance: 'the id that it asked for', code: 'its code', reason: 'why' },
    load: async () => (await import('../../commands/instances/refuse-request.ts')).refuseRequest,
  },
  {
    name: 'instance certificate',
    summary: "Verify and show the certificate of this computer's app instance, offline",
    about:
      'Of an instance that was enrolled with instance enrol --at. What became of it since, instance list says.',
    acts: true,
    examples: [{ does: 'what this computer is', run: 'npx ampere instance certificate --data ./ward-7' }],
    json: {
      ok: 'true',
      instance: 'its id',
      institution: 'whose it is',
      kid: 'id of its key',
      capabilities: 'what it may do',
      expires: 'when it expires',
      registryHeight: 'height of the block that put the key in force',
      block: 'id of that block',
      since: 'its time',
      level: 'logged or witnessed; null without a receipt',
      certificate: 'the file',
    },
    exits: { 3: 'the certificate does not verify' },
    load: async () => (await import('../../commands/instances/certificate.ts')).showCertificate,
  },
]
