using System.Text.Json.Nodes;
using Kv.Kubectl.Output;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>How to make a bucket type that the source has and the target lacks.</summary>
internal static class BucketTypeAdvice
{
    public static string For(string type, RpbBucketProps source)
    {
        var props = PropsOf(source);
        var manifest = string.Join(", ", props.Select(prop => $"{CamelCase(prop.Key)}: {prop.Value!.ToJsonString()}"));
        var name = "'" + type.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
        return $$"""
            the cluster has no bucket type {{type}}, or it is not active. Either create it:
              kv bucket-type create {{name}} '{{new JsonObject { ["props"] = props }.ToJsonString(JsonText.Compact)}}'
              kv bucket-type activate {{name}}
            or, where an operator runs the cluster, apply the manifest (with the Cluster's name):
              apiVersion: kv.dev/v1alpha1
              kind: BucketType
              metadata: { name: {{type}} }
              spec: { clusterRef: { name: CLUSTER }, {{manifest}} }
            with backend `ordered` besides, if its index entries are to be queried
            """;
    }

    private static JsonObject PropsOf(RpbBucketProps source)
    {
        var props = new JsonObject { ["n_val"] = source.HasNVal ? source.NVal : 3 };
        if (source.HasDatatype)
        {
            props["datatype"] = source.Datatype.ToStringUtf8();
        }
        else
        {
            props["allow_mult"] = !source.HasAllowMult || source.AllowMult;
        }

        if (source.LastWriteWins)
        {
            props["last_write_wins"] = true;
            props["dvv_enabled"] = false;
        }

        if (source.WriteOnce)
        {
            props["write_once"] = true;
        }

        return props;
    }

    private static string CamelCase(string name)
    {
        var words = name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
