/** Keeps a value as the newest of at most `max`, of which the oldest goes. Pure apart from the map. */
export function keepNewest<Value>(
  map: Map<string, Value>,
  key: string,
  { value, max }: { value: Value; max: number },
): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
