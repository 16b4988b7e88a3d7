namespace Kv.Core.Rings;

/// <summary>Consecutive partitions given anew: what it costs but for shares, and who has one partition less and one more for it.</summary>
internal sealed record ClaimRewrite(int First, int[] Nodes, long Cost, int[] Givers, int[] Takers);
