// SPDX-License-Identifier: Apache-2.0

/** Spellings that UCUM reads as something else than laboratories mean; null where nobody can tell. */
export const COLLISIONS: ReadonlyMap<string, string> = new Map([
  ['K/uL', '10*3/uL'],
  ['M/uL', '10*6/uL'],
  ['m/uL', '10*6/uL'],
  ['T/L', '10*12/L'],
  // Grams in capitals, or giga per litre: unknown stays unknown.
  ['G/L', ''],
])

/** UCUM by the spellings of people and older systems, in lower case. */
export const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...same('[lb_av]', 'lb', 'lbs', 'lb.', 'pound', 'pounds'),
  ...same('[oz_av]', 'oz', 'ounce', 'ounces'),
  ...same('kg', 'kgs', 'kilogram', 'kilograms'),
  ...same('[in_i]', 'in', 'in.', 'inch', 'inches'),
  ...same('[ft_i]', 'ft', 'foot', 'feet'),
  ...same('cm', 'cms', 'centimeter', 'centimeters', 'centimetre', 'centimetres'),
  ...same('mm[Hg]', 'mmhg', 'mm hg', 'mm(hg)', 'mm[hg]'),
  ...same('Cel', 'c', '°c', 'deg c', 'degc', 'celsius', 'cel'),
  ...same('[degF]', 'f', '°f', 'deg f', 'degf', 'fahrenheit', '[degf]'),
  ...same(
    '/min',
    'bpm',
    'beats/min',
    'beats/minute',
    'beats per minute',
    'breaths/min',
    '/minute',
    'per minute',
  ),
  ...same('%', 'percent', 'pct'),
  ...same(
    '10*3/uL',
    'k/ul',
    'k/mm3',
    'thou/ul',
    'th/ul',
    'x10e3/ul',
    '10e3/ul',
    'x10^3/ul',
    'x10*3/ul',
    '10^3/ul',
    '10*3/ul',
  ),
  ...same('10*9/L', '10^9/l', 'x10^9/l', '10*9/l', '10e9/l', 'x10e9/l', 'giga/l'),
  ...same('10*6/uL', 'mill/ul', 'x10e6/ul', '10e6/ul', 'x10^6/ul', 'x10*6/ul', '10^6/ul', '10*6/ul'),
  ...same('10*12/L', '10^12/l', 'x10^12/l', '10*12/l', '10e12/l'),
  ...same('/uL', '/ul', 'cells/ul', '/mm3', '/cumm'),
  ...same('[IU]/L', 'iu/l'),
  ...same('U/L', 'u/l'),
  ...same('m[IU]/L', 'miu/l', 'mu/l', 'm[iu]/l'),
  ...same('m[IU]/mL', 'miu/ml'),
  ...same('u[IU]/mL', 'uiu/ml', 'u[iu]/ml', 'mciu/ml'),
  ...same('meq/L', 'meq/l'),
  ...same('mmol/L', 'mmol/l'),
  ...same('umol/L', 'umol/l', 'mcmol/l', 'µmol/l', 'μmol/l'),
  ...same('mg/dL', 'mg/dl', 'mg%'),
  ...same('g/dL', 'g/dl', 'gm/dl', 'g%'),
  ...same('g/L', 'gm/l'),
  ...same('mg/L', 'mg/l'),
  ...same('ug/dL', 'ug/dl', 'mcg/dl', 'µg/dl', 'μg/dl'),
  ...same('ng/mL', 'ng/ml'),
  ...same('pg/mL', 'pg/ml'),
  ...same('kg/m2', 'kg/m²', 'kg/m^2', 'kg/m*2', 'kg/sqm'),
  ...same('mL/min', 'ml/min'),
  ...same(
    'mL/min/{1.73_m2}',
    'ml/min/1.73m2',
    'ml/min/1.73 m2',
    'ml/min/1.73m^2',
    'ml/min/1.73m²',
    'ml/min/1.73_m2',
  ),
  ...same('mL/min/{1.73_m2}', 'ml/min/{1.73_m2}', 'ml/min/{1.73m2}'),
])

function same(ucum: string, ...spellings: readonly string[]): (readonly [string, string])[] {
  return spellings.map((spelling) => [spelling, ucum] as const)
}
