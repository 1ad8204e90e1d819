"""Do warnings and intervals hold on populations that no calibration was made with?"""
