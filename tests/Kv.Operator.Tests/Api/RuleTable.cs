using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Api.Schema;
using Kv.Operator.Local;
using Xunit;

namespace Kv.Operator.Tests.Api;

/// <summary>Objects that each CEL rule of the CRDs takes and refuses, for all that must agree about them: the rule, its twin in C#, and the operator on an API server without CEL.</summary>
public static class RuleTable
{
    /// <summary>File, the rule's message, the object before (null for none), one that is taken and one that is not; over the smallest object of the kind, with its defaults.</summary>
    public static TheoryData<string, string, string?, string, string> Rows => new()
    {
        { "cluster.yaml", "the name of a Cluster is at most 32 characters, so that the names of its pods and Services fit", null, "metadata: {name: a2345678901234567890123456789012}", "metadata: {name: a23456789012345678901234567890123}" },
        { "cluster.yaml", "the ring size is fixed when the cluster is made", "spec: {ringSize: 128}", "spec: {ringSize: 128}", "spec: {ringSize: 64}" },
        { "cluster.yaml", "the ring size is fixed when the cluster is made", "{}", "spec: {ringSize: 64}", "spec: {ringSize: 128}" },
        { "cluster.yaml", "zones are given when the cluster is made or not at all", "{}", "spec: {nodes: 4}", "spec: {zones: [{name: a}]}" },
        { "cluster.yaml", "zones are given when the cluster is made or not at all", "spec: {zones: [{name: a}]}", "spec: {zones: [{name: a}]}", "{}" },
        { "cluster.yaml", "a zone cannot be taken from a cluster", "spec: {zones: [{name: a}, {name: b}]}", "spec: {zones: [{name: c}, {name: b}, {name: a}]}", "spec: {zones: [{name: a}, {name: c}]}" },
        { "cluster.yaml", "there must be at least a node for each zone", null, "spec: {nodes: 2, zones: [{name: a}, {name: b}]}", "spec: {nodes: 1, zones: [{name: a}, {name: b}]}" },
        { "cluster.yaml", "the size of the volumes is fixed when the cluster is made", "{}", "spec: {storage: {size: 10Gi}}", "spec: {storage: {size: 20Gi}}" },
        { "cluster.yaml", "the storage class is fixed when the cluster is made", "spec: {storage: {storageClass: fast}}", "spec: {storage: {storageClass: fast}}", "spec: {storage: {storageClass: slow}}" },
        { "cluster.yaml", "the storage class is fixed when the cluster is made", "spec: {storage: {storageClass: fast}}", "spec: {storage: {storageClass: fast, retention: {whenDeleted: Delete}}}", "{}" },
        { "cluster.yaml", "the storage class is fixed when the cluster is made", "{}", "{}", "spec: {storage: {storageClass: fast}}" },
        { "buckettype.yaml", "nVal of an active bucket type cannot be changed", "{spec: {nVal: 3}, status: {state: Active}}", "spec: {nVal: 3, r: 1}", "spec: {nVal: 4}" },
        { "buckettype.yaml", "nVal of an active bucket type cannot be changed", "{spec: {nVal: 4}, status: {state: Active}}", "spec: {nVal: 4}", "{spec: {nVal: 3}, status: {state: Ready}}" },
        { "buckettype.yaml", "the backend is one of faster, ordered, memory", null, "spec: {backend: ordered}", "spec: {backend: bitcask}" },
        { "buckettype.yaml", "the backend is one of faster, ordered, memory", null, "{spec: {backend: bitcask}, status: {observedGeneration: 1}}", "{spec: {backend: bitcask}, status: {}}" },
        { "buckettype.yaml", "a bucket type stays in its cluster", "{}", "spec: {clusterRef: {name: c}}", "spec: {clusterRef: {name: d}}" },
        { "buckettype.yaml", "the name of a bucket type cannot be changed", "spec: {name: a}", "spec: {name: a}", "spec: {name: b}" },
        { "buckettype.yaml", "the name of a bucket type cannot be changed", "spec: {name: b}", "spec: {name: b, w: all}", "{}" },
        { "buckettype.yaml", "the name of a bucket type cannot be changed", "{}", "{}", "spec: {name: b}" },
        { "buckettype.yaml", "the datatype of a bucket type cannot be changed", "spec: {datatype: set}", "spec: {datatype: set}", "spec: {datatype: map}" },
        { "buckettype.yaml", "the datatype of a bucket type cannot be changed", "{}", "{}", "spec: {datatype: map}" },
        { "buckettype.yaml", "the datatype of a bucket type cannot be changed", "spec: {datatype: set}", "spec: {datatype: set, w: all}", "{}" },
        { "buckettype.yaml", "writeOnce cannot be changed", "{}", "spec: {writeOnce: false}", "spec: {writeOnce: true}" },
        { "buckettype.yaml", "consistent cannot be changed", "{}", "spec: {consistent: false}", "spec: {consistent: true}" },
        { "buckettype.yaml", "the backend of a bucket type cannot be changed", "spec: {backend: faster}", "spec: {backend: faster}", "spec: {backend: ordered}" },
        { "buckettype.yaml", "the backend of a bucket type cannot be changed", "{}", "{}", "spec: {backend: ordered}" },
        { "buckettype.yaml", "hllPrecision can only be reduced", "spec: {datatype: hll, hllPrecision: 12}", "spec: {datatype: hll, hllPrecision: 11}", "spec: {datatype: hll, hllPrecision: 13}" },
        { "buckettype.yaml", "hllPrecision can only be reduced", "spec: {datatype: hll}", "spec: {datatype: hll, hllPrecision: 14}", "spec: {datatype: hll, hllPrecision: 15}" },
        { "buckettype.yaml", "hllPrecision can only be reduced", "spec: {datatype: hll, hllPrecision: 13}", "spec: {datatype: hll, hllPrecision: 13}", "spec: {datatype: hll}" },
        { "buckettype.yaml", "hllPrecision can only be reduced", "spec: {datatype: hll, hllPrecision: 15}", "spec: {datatype: hll}", "spec: {datatype: hll, hllPrecision: 16}" },
        { "buckettype.yaml", "allowMult and lastWriteWins exclude each other", null, "spec: {allowMult: false, lastWriteWins: true, dvvEnabled: false}", "spec: {allowMult: true, lastWriteWins: true, dvvEnabled: false}" },
        { "buckettype.yaml", "lastWriteWins needs dvvEnabled: false", null, "spec: {allowMult: false, lastWriteWins: true, dvvEnabled: false}", "spec: {allowMult: false, lastWriteWins: true}" },
        { "buckettype.yaml", "a type with a datatype needs allowMult: true", null, "spec: {datatype: set}", "spec: {datatype: set, allowMult: false}" },
        { "buckettype.yaml", "hllPrecision needs datatype: hll", null, "spec: {datatype: hll, hllPrecision: 14}", "spec: {datatype: set, hllPrecision: 14}" },
        { "buckettype.yaml", "hllPrecision needs datatype: hll", null, "spec: {datatype: hll}", "spec: {hllPrecision: 14}" },
        { "buckettype.yaml", "writeOnce and consistent exclude each other", null, "spec: {writeOnce: true}", "spec: {writeOnce: true, consistent: true}" },
        { "buckettype.yaml", "writeOnce and datatype exclude each other", null, "spec: {datatype: set}", "spec: {datatype: set, writeOnce: true}" },
        { "buckettype.yaml", "precommit and postcommit exclude datatype, writeOnce and consistent", null, "spec: {precommit: [check]}", "spec: {precommit: [check], writeOnce: true}" },
        { "buckettype.yaml", "precommit and postcommit exclude datatype, writeOnce and consistent", null, "spec: {datatype: set}", "spec: {postcommit: [tell], datatype: set}" },
        { "buckettype.yaml", "precommit and postcommit exclude datatype, writeOnce and consistent", null, "spec: {writeOnce: true}", "spec: {postcommit: [tell], consistent: true}" },
        { "buckettype.yaml", "r is at most nVal", null, "spec: {r: 3}", "spec: {r: 4}" },
        { "buckettype.yaml", "r is at most nVal", null, "spec: {r: all}", "spec: {r: 3, nVal: 2}" },
        { "buckettype.yaml", "w is at most nVal", null, "spec: {w: 3}", "spec: {w: 4}" },
        { "buckettype.yaml", "pr is at most nVal", null, "spec: {pr: quorum}", "spec: {pr: 4}" },
        { "buckettype.yaml", "pw is at most nVal", null, "spec: {pw: 5, nVal: 5}", "spec: {pw: 4}" },
        { "buckettype.yaml", "dw is at most nVal", null, "spec: {dw: one}", "spec: {dw: 4}" },
        { "buckettype.yaml", "rw is at most nVal", null, "spec: {rw: 1}", "spec: {rw: 4}" },
        { "buckettype.yaml", "nodeConfirms is at most nVal", null, "spec: {nodeConfirms: 3}", "spec: {nodeConfirms: 4}" },
        { "buckettype.yaml", "youngVClockSeconds is at most oldVClockSeconds", null, "spec: {youngVClockSeconds: 7, oldVClockSeconds: 7}", "spec: {youngVClockSeconds: 8, oldVClockSeconds: 7}" },
        { "buckettype.yaml", "smallVClock is at most bigVClock", null, "spec: {smallVClock: 7, bigVClock: 7}", "spec: {smallVClock: 8, bigVClock: 7}" },
    };

    /// <summary>The object as an API server has it when it runs the rules: with its defaults.</summary>
    public static JsonObject Object(string file, string overlay)
    {
        var kind = KindOf(file);
        var whole = YamlReader.Read(overlay).Single().AsObject();
        var spec = whole["spec"]?.AsObject() ?? [];
        if (kind == typeof(BucketType))
        {
            spec["clusterRef"] ??= new JsonObject { ["name"] = "c" };
        }

        SchemaValidator.ApplyDefaults(CrdWriter.SpecSchema(kind), spec);
        whole["metadata"] ??= new JsonObject { ["name"] = "a" };
        whole["spec"] ??= spec;
        return whole;
    }

    public static Type KindOf(string file) => file == "cluster.yaml" ? typeof(Cluster) : typeof(BucketType);
}
