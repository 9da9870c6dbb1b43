"""The detectors: SSDLite heads on a MobileNetV2, trained from people's boxes and a teacher's soft ones."""
