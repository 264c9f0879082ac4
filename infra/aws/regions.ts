// SPDX-License-Identifier: Apache-2.0

/**
 * The regions of AWS, as its SDK of 2026-11 knows them (`partition` of @aws-sdk/core, from AWS's own table of partitions): a region that is misspelt is
 * found before anything is asked of it. A test asks the SDK for each.
 */
export const REGIONS: readonly string[] = [
  ...regionsOf('af', 'south-1'),
  ...regionsOf('ap', 'east-1 east-2 northeast-1 northeast-2 northeast-3 south-1 south-2'),
  ...regionsOf('ap', 'southeast-1 southeast-2 southeast-3 southeast-4 southeast-5 southeast-6 southeast-7'),
  ...regionsOf('ca', 'central-1 west-1'),
  ...regionsOf('cn', 'north-1 northwest-1'),
  ...regionsOf('eu', 'central-1 central-2 isoe-west-1 north-1 south-1 south-2 west-1 west-2 west-3'),
  ...regionsOf('il', 'central-1'),
  ...regionsOf('me', 'central-1 south-1 west-1'),
  ...regionsOf('mx', 'central-1'),
  ...regionsOf('sa', 'east-1 west-1'),
  ...regionsOf('us', 'east-1 east-2 west-1 west-2 gov-east-1 gov-west-1'),
  ...regionsOf('us', 'iso-east-1 iso-west-1 isob-east-1 isob-west-1 isof-east-1 isof-south-1'),
]

/** Whether AWS has a region of this name; it may still be one that an account has to switch on. */
export function isRegion(name: string): boolean {
  return REGIONS.includes(name)
}

function regionsOf(area: string, places: string): readonly string[] {
  return places.split(' ').map((place) => `${area}-${place}`)
}
