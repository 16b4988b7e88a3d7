using Kv.EndToEnd.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace Kv.EndToEnd.Charts;

/// <summary>What Helm makes of the chart for some values and a version of Kubernetes.</summary>
internal sealed class RenderedChart(IReadOnlyList<YamlMappingNode> objects)
{
    public IReadOnlyList<YamlMappingNode> Objects { get; } = objects;

    /// <summary>Renders as a release `kv` in namespace `kv-system`; an error of Helm is an exception that shows it.</summary>
    public static Task<RenderedChart> RenderAsync(string kubernetes, params string[] arguments) => RenderAsync(Helm.Chart, kubernetes, arguments);

    /// <summary>As <see cref="RenderAsync(string, string[])"/>, of a chart that is not this tree's.</summary>
    public static async Task<RenderedChart> RenderAsync(string path, string kubernetes, string[] arguments)
    {
        var rendered = await Helm.RunAsync(["template", "kv", path, "--namespace", "kv-system", "--kube-version", kubernetes, .. arguments]);
        if (!rendered.Succeeded)
        {
            throw new InvalidOperationException(rendered.ToString());
        }
        var stream = new YamlStream();
        stream.Load(new StringReader(rendered.Output));
        return new([.. stream.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>()]);
    }

    public IEnumerable<YamlMappingNode> OfKind(string kind) => Objects.Where(one => Text(one, "kind") == kind);

    /// <summary>The scalar at a path of keys and list positions; null where nothing is there.</summary>
    public static string? Text(YamlNode node, params string[] path) => (At(node, path) as YamlScalarNode)?.Value;

    /// <summary>The texts of the list at a path; empty where nothing is there.</summary>
    public static string[] Texts(YamlNode node, params string[] path) =>
        At(node, path) is YamlSequenceNode list ? [.. list.Children.Select(one => ((YamlScalarNode)one).Value!)] : [];

    /// <summary>The node at a path of keys and list positions.</summary>
    public static YamlNode? At(YamlNode? node, params string[] path)
    {
        foreach (var step in path)
        {
            node = node switch
            {
                YamlMappingNode map => map.Children.TryGetValue(new YamlScalarNode(step), out var child) ? child : null,
                YamlSequenceNode list when int.TryParse(step, out var at) && at < list.Children.Count => list.Children[at],
                _ => null,
            };
        }
        return node;
    }
}
