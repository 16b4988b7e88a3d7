using System.Collections.Immutable;

namespace Kv.Wire.Access;

/// <summary>Riak's names of job classes, as settings have them, and its refusal.</summary>
public static class JobClassNames
{
    private static readonly ImmutableArray<(JobClass Job, string Name)> Table =
    [
        (JobClass.ListBuckets, "list_buckets"),
        (JobClass.StreamListBuckets, "stream_list_buckets"),
        (JobClass.ListKeys, "list_keys"),
        (JobClass.StreamListKeys, "stream_list_keys"),
        (JobClass.SecondaryIndex, "secondary_index"),
        (JobClass.StreamSecondaryIndex, "stream_secondary_index"),
        (JobClass.MapReduce, "map_reduce"),
        (JobClass.MapReduceJs, "map_reduce_js"),
    ];

    public static ImmutableArray<string> All { get; } = [.. Table.Select(entry => entry.Name)];

    /// <summary>Null where there is none of that name.</summary>
    public static JobClass? Find(string name) => All.IndexOf(name) is >= 0 and var at ? Table[at].Job : null;

    /// <summary>As riak_core_util:job_class_disabled_message prints the class.</summary>
    public static string Disabled(JobClass job) => $"Operation '{{riak_kv,{Table.First(entry => entry.Job == job).Name}}}' is not enabled";
}
