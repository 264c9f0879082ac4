// SPDX-License-Identifier: Apache-2.0
import type { CommandGroup } from '../program/command.ts'

const more = (text: string, before: unknown): readonly string[] => [
  ...(Array.isArray(before) ? (before as string[]) : []),
  text,
]

export const MONITORS: CommandGroup = {
  title: 'Monitors',
  commands: [
    {
      name: 'monitor add',
      summary: 'Let this home monitor the log of another one',
      about:
        'It copies the log entries of the other home, verifies each growth, and answers lookups, so that the other home cannot hide the end of a record. Kept as a tlog-policy file in the folder `monitored`; adding a log again replaces what was said of it, removing its file ends it.',
      args: [{ name: 'url', about: 'where the log is served, for example https://home.example/log' }],
      flags: [
        {
          flags: '--key <vkey>',
          about: 'a verifier key of the log; once for each of its keys',
          parse: more,
        },
        {
          flags: '--policy <file>',
          about:
            'instead of --key: a tlog-policy with the keys of the log, and whose cosignatures it should have',
        },
      ],
      examples: [
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
        origin: 'of the log',
        url: 'where it is served',
        keys: 'how many of its keys count',
        quorum: 'name of the quorum, or none',
      },
      load: async () => (await import('../commands/monitor/add.ts')).addMonitored,
    },
    {
      name: 'monitor list',
      summary: 'List the logs that this home monitors, and the monitors that it asks',
      examples: [{ does: 'which ones', run: 'npx ampere monitor list' }],
      json: {
        ok: 'true',
        items: 'origin, url, keys and quorum of each',
        asks: 'origins of the monitors that are asked about records, and how many are needed; null for none',
      },
      load: async () => (await import('../commands/monitor/list.ts')).listMonitored,
    },
    {
      name: 'monitor status',
      summary: 'Say how far this home is with each log that it monitors',
      examples: [{ does: 'is there anything against a log?', run: 'npx ampere monitor status' }],
      json: {
        ok: 'false when something speaks against a log',
        items:
          'origin, url and status of each: size, checkpoint, cosigned, pending, findings; null before the first look',
      },
      exits: { 3: 'something speaks against a log' },
      load: async () => (await import('../commands/monitor/status.ts')).monitorStatus,
    },
  ],
}
