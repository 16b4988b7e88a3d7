using System.Globalization;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Simulation.Plans;

/// <summary>A bucket type of a run, and what is promised of the keys in it.</summary>
public sealed record BucketPlan(string Name, BucketRule Rule, int NVal, string DeleteMode, string Durability, int NodeConfirms)
{
    public const string BucketText = "b";

    /// <summary>The engine that keeps the objects; null for the default one.</summary>
    public string? Backend { get; init; }

    /// <summary>Seconds after which an object is over; null where it is never.</summary>
    public int? TtlSeconds { get; init; }

    /// <summary>Objects have index entries.</summary>
    public bool IsOrdered => Backend == BucketProps.OrderedBackend;

    /// <summary>Objects are in memory alone, and gone with the process.</summary>
    public bool IsInMemory => Backend == BucketProps.MemoryBackend;

    /// <summary>Whether no write may vanish behind a concurrent one: then each acknowledged write can be looked for.</summary>
    public bool KeepsSiblings => Rule is BucketRule.Siblings or BucketRule.Set;

    /// <summary>Whether an acknowledged write is on disks: a cache's may go with the power.</summary>
    public bool IsSynced => Durability == "synced" && !IsInMemory;

    /// <summary>All keys are in this one.</summary>
    public BucketName Bucket => new(Name, BucketText);

    /// <summary>What the administrator is told to make.</summary>
    public string Json
    {
        get
        {
            var rule = Rule switch
            {
                BucketRule.Siblings => "\"allow_mult\":true",
                BucketRule.Set => "\"datatype\":\"set\",\"allow_mult\":true",
                BucketRule.Newest => "\"allow_mult\":false",
                BucketRule.NewestByClock => "\"allow_mult\":false,\"dvv_enabled\":false",
                BucketRule.LastWriteWins => "\"last_write_wins\":true,\"allow_mult\":false,\"dvv_enabled\":false",
                _ => "\"write_once\":true",
            };
            var backend = Backend is null ? "" : $",\"backend\":\"{Backend}\"";
            var ttl = TtlSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $",\"ttl\":{seconds}") : "";
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{{{rule},\"n_val\":{NVal},\"delete_mode\":\"{DeleteMode}\",\"durability\":\"{Durability}\",\"node_confirms\":{NodeConfirms}{backend}{ttl}}}");
        }
    }

    public override string ToString() => $"{Name} {Json}";
}
