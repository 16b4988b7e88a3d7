using System.Collections.Immutable;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>How many nodes each zone should have: as even as can be by adding to the smallest alone, or taking from the largest alone. Zones are not evened out by both.</summary>
internal static class ZoneShares
{
    /// <summary>The zone of a cluster that has none.</summary>
    public const string NoZone = "";

    public static ImmutableArray<string> ZonesOf(ClusterSpec spec) => spec.Zones is { Count: > 0 } zones ? [.. zones.Select(zone => zone.Name)] : [NoZone];

    /// <summary>Replicas by zone. <paramref name="existing"/> are those of zones that have a workload; a zone that the spec does not name keeps what it has.</summary>
    public static ImmutableSortedDictionary<string, int> Of(ClusterSpec spec, IEnumerable<ObservedWorkload> existing)
    {
        var zones = ZonesOf(spec);
        var shares = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var workload in existing)
        {
            shares[workload.Zone] = workload.Replicas;
        }

        foreach (var zone in zones)
        {
            shares.TryAdd(zone, 0);
        }

        for (var total = shares.Values.Sum(); total < spec.Nodes; total++)
        {
            var least = zones.MinBy(zone => shares[zone])!;
            shares[least]++;
        }

        for (var total = shares.Values.Sum(); total > spec.Nodes && zones.Any(zone => shares[zone] > 1); total--)
        {
            // The last of the largest: the reverse of growing.
            var most = zones.Where(zone => shares[zone] > 1).Reverse().MaxBy(zone => shares[zone])!;
            shares[most]--;
        }

        return shares.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }
}
