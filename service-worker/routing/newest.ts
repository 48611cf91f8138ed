/**
 * Keeps a value as the newest of at most `max`. Beyond that, the oldest hundredth goes at once, because it takes long to find
 * the oldest of a map from which many were deleted. Pure apart from the map.
 */
export function keepNewest<Value>(
  map: Map<string, Value>,
  key: string,
  { value, max }: { value: Value; max: number },
): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  for (const oldest of map.keys().take(Math.ceil(max / 100))) map.delete(oldest);
}
