// SPDX-License-Identifier: Apache-2.0
import { CLOUD_FLAG, HOME_FLAG } from '../cloud-flags.ts'
import type { CommandGroup } from '../../program/command.ts'
import { KEY_FLAGS } from './witnesses.ts'

export const MONITORS: CommandGroup = {
  title: 'Monitors',
  commands: [
    {
      name: 'monitor add',
      summary: 'Let this home monitor the log of another one',
      about:
        'It copies the log entries of the other home, verifies each growth, and answers lookups, so that the other home cannot hide the end of a record. Keys that are fetched are shown first: compare the fingerprint with what its operator says by another way. Kept as a tlog-policy file in the folder `monitored`; it holds at once, also in a server that runs. Adding a log again replaces what was said of it, and changes nothing where that is the same.',
      args: [{ name: 'url', about: 'the other home, or its log, for example https://home.example/log' }],
      flags: [
        ...KEY_FLAGS,
        CLOUD_FLAG,
        {
          flags: '--policy <file>',
          about:
            'instead of keys: a tlog-policy with the keys of the log, and whose cosignatures it should have',
        },
      ],
      examples: [
        { does: 'compare, then confirm', run: 'npx ampere monitor add https://st-mary.example' },
        {
          does: 'by its Ed25519 key',
          run: "npx ampere monitor add https://st-mary.example/log --key 'st-mary.example/log+ID+KEY'",
        },
        {
          does: 'with witnesses',
          run: 'npx ampere monitor add https://st-mary.example/log --policy st-mary.txt',
        },
      ],
      json: {
        ok: 'true',
        changed: 'false where it was so already',
        origin: 'of the log',
        url: 'where it is served',
        keys: 'how many of its keys count',
        quorum: 'name of the quorum, or none',
        fingerprint: 'of its keys: 128 bits of their SHA-256, in hexadecimal',
        anew: 'true where it had stopped at what speaks against the log, was removed, and begins anew',
        effective: 'now; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/monitor/add.ts')).addMonitored,
    },
    {
      name: 'monitor remove',
      summary: 'Let this home monitor a log no more',
      about:
        'After you agreed; it holds at once, also in a server that runs. What was copied is kept: lookups are answered as of then, and adding the log again goes on from there, or begins anew where it had stopped at what speaks against the log. Proofs are kept as evidence files. One that is not monitored is refused.',
      args: [{ name: 'log', about: 'its name as monitor list has it, its URL, or that of its home' }],
      flags: [{ flags: '--yes', about: 'agree, instead of being asked' }, CLOUD_FLAG],
      examples: [{ does: 'no longer', run: 'npx ampere monitor remove https://st-mary.example' }],
      json: {
        ok: 'true',
        changed: 'false where it was not monitored',
        origin: 'of the log',
        effective: 'now; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/monitor/remove.ts')).removeMonitored,
    },
    {
      name: 'monitor list',
      summary: 'List the logs that this home monitors, and the monitors that it asks',
      flags: [CLOUD_FLAG],
      examples: [{ does: 'which ones', run: 'npx ampere monitor list' }],
      json: {
        ok: 'true',
        items: 'origin, url, keys and quorum of each',
        asks: 'origins of the monitors that are asked about records, and how many are needed; null for none',
      },
      load: async () => (await import('../../commands/monitor/list.ts')).listMonitored,
    },
    {
      name: 'monitor status',
      summary: 'Say how far this home is with each log that it monitors',
      flags: [HOME_FLAG],
      examples: [{ does: 'is there anything against a log?', run: 'npx ampere monitor status' }],
      json: {
        ok: 'false when something speaks against a log',
        items:
          'origin, url and status of each: size, checkpoint, cosigned, pending, stopped (what it stopped at), begun (when it began anew), findings; null before the first look',
      },
      exits: { 3: 'something speaks against a log' },
      load: async () => (await import('../../commands/monitor/status.ts')).monitorStatus,
    },
  ],
}
